"""The native tests once more, under AddressSanitizer and UndefinedBehaviorSanitizer."""

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
def test_native_tests_pass_under_address_and_undefined_behaviour_sanitizers():
    tools = {name: shutil.which(name) for name in ("cmake", "ctest", "ninja")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)} (pip install cmake ninja)")
    run(tools["cmake"], "--preset", "sanitize", f"-DPython3_EXECUTABLE={sys.executable}")
    run(tools["cmake"], "--build", "build/sanitize")
    run(tools["ctest"], "--test-dir", "build/sanitize", "--output-on-failure", "-j", "2")
