"""Programs under mpirun: compiled with mpicc, ended with their whole process group when they take too long."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from compiling import INCLUDE, LIBRARY, STRICT, need_library
from compiling import run as run_once

C_TESTS = Path(__file__).resolve().parents[1] / "c"
SETTINGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}


def compile_with_mpi(source: Path, target: Path) -> Path:
    """Compile one C file and link it with libsurrogate_mpi and libsurrogate."""
    for tool in ("mpicc", "mpirun"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: install an MPI (apt-get install libopenmpi-dev openmpi-bin)")
    need_library()
    if not (LIBRARY / "libsurrogate_mpi.so").exists():
        pytest.skip("libsurrogate_mpi.so is missing: make native, with an MPI for C")
    target.parent.mkdir(parents=True, exist_ok=True)
    libraries = (f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lsurrogate_mpi", "-lsurrogate", "-lm")
    includes = (f"-isystem{INCLUDE}", f"-I{C_TESTS}")
    flags = [flag for flag in STRICT["gcc"] if flag != "-std=c99"]  # POSIX
    run_once(["mpicc", *flags, *includes, source, "-o", target, *libraries])
    return target


class Job:
    """A running mpirun, in a process group of its own."""

    def __init__(
        self,
        ranks: int,
        command: Sequence[str | Path],
        environment: dict[str, str] | None = None,
    ) -> None:
        self.command = ["mpirun", "--bind-to", "none", "-n", str(ranks), *map(str, command)]
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **SETTINGS, **(environment or {})},
            start_new_session=True,
        )

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait(self, timeout: float = 60) -> str:
        """The rest of what it prints; the test fails after `timeout` seconds."""
        try:
            return self.process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"{' '.join(self.command)}\ndid not end in {timeout} s")

    def end(self) -> None:
        """Kill the group, and what mpirun started in groups of its own."""
        if self.process.poll() is None:
            for child in _descendants(self.process.pid):
                _kill(child)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _descendants(process: int) -> list[int]:
    found = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            own = [int(child) for child in children.read_text().split()]
        except OSError:  # it has ended meanwhile
            continue
        for child in own:
            found += [child, *_descendants(child)]
    return found


def mpirun(
    ranks: int,
    command: Sequence[str | Path],
    *,
    environment: dict[str, str] | None = None,
    timeout: float = 60,
) -> str:
    """Run on `ranks` ranks a program that must succeed; what it printed."""
    with Job(ranks, command, environment) as job:
        output = job.wait(timeout)
        assert job.process.returncode == 0, f"{' '.join(job.command)}\n{output}"
        return output
