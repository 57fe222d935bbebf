"""The tests of this folder over another MPI: MPICH, from a wheel in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from compiling import BUILD, ROOT

pytestmark = pytest.mark.full
HERE = Path(__file__).parent
FOLDER = BUILD / "mpich"
TARGETS = ("surrogate", "surrogate_engine_stub", "bindings/recorder/all", "tests/mpi/all")
FILES = ("agreement", "opening", "predict", "predict_faults", "recorder", "bad_input", "parity")


def run(command: Sequence[str | Path], timeout: float, **environment: str) -> tuple[int, str]:
    """The end of what a command prints, and its exit code."""
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
def build(mpich: Path) -> Path:
    """The library, its stub engine and the programs of these tests, compiled with MPICH."""
    tools = {name: shutil.which(name) for name in ("cmake", "ninja")}
    missing = [name for name, path in tools.items() if path is None]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)} (pip install cmake ninja)")
    folder = FOLDER / "build"
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_MAKE_PROGRAM": tools["ninja"],
        "MPI_C_COMPILER": mpich / "bin" / "mpicc",
        "Python3_EXECUTABLE": sys.executable,
        "SURROGATE_MPI": "ON",
        "SURROGATE_TESTS": "ON",
        "SURROGATE_EXAMPLES": "OFF",
        "SURROGATE_FORTRAN": "OFF",
    }
    defined = [f"-D{name}={value}" for name, value in options.items()]
    code, said = run([tools["cmake"], "-S", ROOT, "-B", folder, "-G", "Ninja", *defined], 300)
    assert code == 0, said
    code, said = run([tools["cmake"], "--build", folder, "--target", *TARGETS], 1800)
    assert code == 0, said
    return folder


def test_the_library_is_linked_with_mpich(mpich: Path, build: Path) -> None:
    code, said = run(["ldd", build / "lib" / "libsurrogate_mpi.so"], 60)
    assert code == 0
    assert str(mpich / "lib" / "libmpi.so") in said


@pytest.mark.parametrize("name", FILES)
def test_tests_pass_over_mpich(mpich: Path, build: Path, name: str) -> None:
    path = f"{mpich / 'bin'}{os.pathsep}{os.environ['PATH']}"
    # programs of Fortran and Python are those of the other MPI
    chosen = ["-m", "not full", "-k", "not fortran and not python"]
    command = [sys.executable, "-P", "-m", "pytest", "-q", *chosen, HERE / f"test_{name}.py"]
    code, said = run(command, 1800, PATH=path, SURROGATE_BUILD=str(build))
    assert code == 0, said
    assert " passed" in said
    assert " skipped" not in said or "MPI_THREAD_MULTIPLE" in said
