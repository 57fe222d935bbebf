"""Every injected fault of the native tests, counted."""

import re
import shutil
import subprocess
import sys

import pytest
from compiling import BUILD, HOW_TO_BUILD

# Fewer than this: a table was not run. Allocations differ between standard libraries, and without a recorder.
LEAST = {
    "allocation": 7_000,
    "bundle": 80,
    "call": 70,
    "engine": 30,
    "manifest": 85,
    "overlay": 75,
    "series": 70,
}


def faults(kind: str) -> int:
    """Run the table of one kind of faults; how many there were."""
    if not (BUILD / "bin" / f"faults_test_{kind}_faults").exists():
        pytest.skip(f"{BUILD} holds no native tests: {HOW_TO_BUILD}")
    ctest = shutil.which("ctest")
    if ctest is None:
        pytest.skip("ctest is missing: pip install cmake")
    command = [ctest, "--test-dir", BUILD, "-R", rf"^faults\.test_{kind}_faults$", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    (count,) = re.findall(r"^\d+: (\d+) faults$", done.stdout, re.MULTILINE)
    return int(count)


def test_every_injected_fault_is_survived(capsys):
    counts = {kind: faults(kind) for kind in LEAST}
    with capsys.disabled():
        sys.stdout.write(f" {sum(counts.values())} faults {counts} ")
    short = {kind: count for kind, count in counts.items() if count < LEAST[kind]}
    assert not short
