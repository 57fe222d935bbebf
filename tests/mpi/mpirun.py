"""Starting programs under mpirun, and ending them: after a timeout, and where a rank is stopped on purpose."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from compiling import BUILD, HOW_TO_BUILD

from surrogate.demo.launch import ENVIRONMENT, kill_job


def program(name: str) -> Path:
    """A program of the build folder, or a skip that names what is missing."""
    path = BUILD / "bin" / name
    if not path.exists():
        pytest.skip(f"{path} is missing: {HOW_TO_BUILD}, with an MPI for C on the PATH")
    return path


def long(*values: object) -> list[object]:
    """Values of a parameter for the long run only; the quick one has another of the same kind."""
    return [pytest.param(value, marks=pytest.mark.full) for value in values]


def launcher() -> str:
    """The path of mpirun, or a skip."""
    path = shutil.which("mpirun")
    if path is None:
        pytest.skip("mpirun is missing: apt-get install openmpi-bin libopenmpi-dev")
    return path


@contextmanager
def started(
    command: Sequence[str | Path],
    ranks: int,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A job that is under way; it is killed, whole, at the end of the block."""
    words = [launcher(), "--bind-to", "none", "-n", str(ranks), *map(str, command)]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT, **(environment or {})},
        cwd=folder,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_job(process)


def mpirun(
    command: Sequence[str | Path],
    ranks: int,
    *,
    timeout: float = 60,
    code: int | None = 0,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a job that must end by itself, with `code` (None: any); its output stands in the failure's text."""
    with started(command, ranks, environment=environment, folder=folder) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            kill_job(process)
            pytest.fail(f"{' '.join(map(str, command))} on {ranks} ranks: no end in {timeout} s")
    if code is not None:
        assert process.returncode == code, (
            f"{' '.join(map(str, command))} on {ranks} ranks\n"
            f"ended with {process.returncode}, expected {code}\n{out}\n{err}"
        )
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def answers(
    command: Sequence[str | Path],
    ranks: int,
    folder: Path,
    *,
    silent: Sequence[int] = (),
    stays: bool = False,
    timeout: float = 60,
    environment: Mapping[str, str] | None = None,
) -> list[list[str]]:
    """The lines of the file that each rank writes to `folder`, none for `silent` ranks; then the job is ended.

    It must end by itself, unless a rank is silent or the job stays because MPI_Finalize would never return.
    """
    paths = [folder / str(rank) for rank in range(ranks)]
    speaking = [path for rank, path in enumerate(paths) if rank not in silent]
    with started(command, ranks, environment=environment) as process:
        end = time.monotonic() + timeout
        while not all(path.exists() for path in speaking):
            ended = process.poll() is not None
            if (ended and not all(path.exists() for path in speaking)) or time.monotonic() > end:
                kill_job(process)
                missing = [path.name for path in speaking if not path.exists()]
                pytest.fail(f"{command} on {ranks} ranks: no answer of ranks {missing}")
            time.sleep(0.02)
        if not silent and not stays:
            out, err = process.communicate(timeout=timeout)
            assert process.returncode == 0, f"{command}: {out}{err}"
    return [path.read_text().splitlines() if path in speaking else [] for path in paths]
