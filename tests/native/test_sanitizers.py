"""The native tests under sanitizers: all under AddressSanitizer (with its leak check) and UndefinedBehaviorSanitizer,
those with threads under ThreadSanitizer.

What is short of it is in tests/sanitized and runs with the other native tests.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.mark.full
@pytest.mark.parametrize(
    ("preset", "tests"), [("sanitize", "."), ("thread", "test_threads|test_overlapped")]
)
def test_native_tests_pass_under_sanitizers(preset, tests):
    tools = {name: shutil.which(name) for name in ("cmake", "ctest", "ninja")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)} (pip install cmake ninja)")
    run(tools["cmake"], "--preset", preset, f"-DPython3_EXECUTABLE={sys.executable}")
    threads = ["native_test_threads", "c_test_overlapped", "surrogate_engine_stub"]
    targets = threads if preset == "thread" else ["all"]
    run(tools["cmake"], "--build", f"build/{preset}", "--target", *targets)
    run(
        *(tools["ctest"], "--test-dir", f"build/{preset}", "--output-on-failure", "-j", "2"),
        *("-R", tests, "--no-tests=error"),
    )
