"""The tests of this folder over another MPI: MPICH, from a wheel in an environment of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from compiling import BUILD, ROOT
from other_builds import assert_tests_pass, build, run

pytestmark = pytest.mark.full
FOLDER = BUILD / "mpich"
FILES = ("agreement", "opening", "predict", "predict_faults", "recorder", "bad_input", "parity")


@pytest.fixture(scope="module")
def mpich() -> Path:
    """The environment that holds MPICH; made once."""
    home = FOLDER / "venv"
    if not (home / "bin" / "mpicc").exists():
        run([sys.executable, "-m", "venv", home], 300)
        code, said = run([home / "bin" / "python", "-m", "pip", "install", "-q", "mpich"], 600)
        if code or not (home / "bin" / "mpicc").exists():
            shutil.rmtree(home, ignore_errors=True)
            pytest.skip(f"MPICH is missing, pip install mpich failed: {said[-400:]}")
    return home


@pytest.fixture(scope="module")
def library(mpich: Path) -> Path:
    """The library, its stub engine and the programs of these tests, compiled with MPICH."""
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "MPI_C_COMPILER": mpich / "bin" / "mpicc",
        "SURROGATE_MPI": "ON",
        "SURROGATE_TESTS": "ON",
        "SURROGATE_EXAMPLES": "OFF",
        "SURROGATE_FORTRAN": "OFF",
    }
    defined = [f"-D{name}={value}" for name, value in options.items()]
    return build(FOLDER / "build", "-S", ROOT, "-B", FOLDER / "build", "-G", "Ninja", *defined)


def test_the_library_is_linked_with_mpich(mpich: Path, library: Path) -> None:
    code, said = run(["ldd", library / "lib" / "libsurrogate_mpi.so"], 60)
    assert code == 0
    assert str(mpich / "lib" / "libmpi.so") in said


@pytest.mark.parametrize("name", FILES)
def test_tests_pass_over_mpich(mpich: Path, library: Path, name: str) -> None:
    path = f"{mpich / 'bin'}{os.pathsep}{os.environ['PATH']}"
    assert_tests_pass(name, library, PATH=path)
