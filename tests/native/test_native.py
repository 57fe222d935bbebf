"""The native tests (tests/c, tests/native and any other that CTest knows), one pytest test each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SURROGATE_BUILD", ROOT / "build"))
CTEST = shutil.which(
    "ctest", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)


def names() -> list[str]:
    """Names of the tests in the build folder; none where there is no build."""
    if CTEST is None or not (BUILD / "CTestTestfile.cmake").is_file():
        return []
    command = [CTEST, "--test-dir", str(BUILD), "--show-only=json-v1"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = [test["name"] for test in json.loads(listing)["tests"]]
    return [name for name in names if not name.startswith("faults.")]  # test_faults.py runs them


NAMES = names()
LONG = {"sanitized.test_allocation_faults"}  # without sanitizers it runs in test_faults.py


@pytest.mark.skipif(not NAMES, reason="no native build in build/ (make native) or no ctest")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.full if name in LONG else ())
        for name in NAMES or ["none"]
    ],
)
def test_native(name: str) -> None:
    """A native test exits with 0."""
    assert CTEST is not None
    pattern = "^" + name.replace(".", r"\.") + "$"
    command = [CTEST, "--test-dir", str(BUILD), "-R", pattern, "--output-on-failure"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
