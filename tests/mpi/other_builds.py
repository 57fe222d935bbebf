"""The tests of this folder, run again with the library of another build folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from compiling import ROOT

TARGETS = ("surrogate", "surrogate_engine_stub", "bindings/recorder/all", "tests/mpi/all")


def run(command: Sequence[str | Path], timeout: float, **environment: str) -> tuple[int, str]:
    """The exit code of a command, and the end of what it prints."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr)[-6000:]


def build(folder: Path, *configure: str | Path) -> Path:
    """Configure by the arguments of cmake, which make `folder`, and build what the tests need."""
    tools = {name: shutil.which(name) for name in ("cmake", "ninja")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)} (pip install cmake ninja)")
    ninja, python = (
        f"-DCMAKE_MAKE_PROGRAM={tools['ninja']}",
        f"-DPython3_EXECUTABLE={sys.executable}",
    )
    code, said = run([tools["cmake"], *configure, ninja, python], 300)
    assert code == 0, said
    code, said = run([tools["cmake"], "--build", folder, "--target", *TARGETS], 1800)
    assert code == 0, said
    return folder


def assert_tests_pass(name: str, folder: Path, **environment: str) -> None:
    """``test_<name>.py`` passes with the build `folder`; its long tests are left out."""
    # programs of Fortran and Python are those of the first build
    chosen = ["-m", "not full", "-k", "not fortran and not python"]
    path = Path(__file__).with_name(f"test_{name}.py")
    command = [sys.executable, "-P", "-m", "pytest", "-q", *chosen, path]
    code, said = run(command, 1800, SURROGATE_BUILD=str(folder), **environment)
    assert code == 0, said
    assert " passed" in said
    assert " skipped" not in said or "MPI_THREAD_MULTIPLE" in said
