"""Compile mhd2d on this machine and run it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate import paths
from surrogate.compilation import cache_dir, compile_project, find_tool
from surrogate.demo.launch import run_under_mpi
from surrogate.environment.machine import cpu_identity


class SolverError(RuntimeError):
    """mhd2d failed; the text holds the end of what it printed."""


def build_solver() -> Path:
    """The mhd2d program, compiled for this CPU from the sources in the package; again only when they changed.

    It is linked to this installation's libsurrogate through ``find_package(surrogate)``, as a user's solver would be.

    Raises
    ------
    CompilationError
        If CMake, a C compiler, MPI or HDF5 is missing, or the compilation fails.
    """
    find_tool(["mpicc"], "apt-get install libopenmpi-dev")
    sources = paths.share_dir() / "solvers" / "mhd2d"
    made_from = "\n".join([str(sources), str(paths.library()), cpu_identity()])
    digest = hashlib.sha256(made_from.encode())
    for file in sorted(path for path in sources.rglob("*") if path.suffix in {".c", ".h", ".txt"}):
        digest.update(file.read_bytes())
    build = cache_dir() / f"mhd2d-{digest.hexdigest()[:16]}"
    program = build / "mhd2d"
    if not program.exists():
        compile_project(sources, build, [f"-Dsurrogate_DIR={paths.cmake_dir()}"])
    return program


@dataclass(frozen=True)
class Solver:
    """How mhd2d is started: on `ranks` ranks, one a core."""

    program: Path
    ranks: int = 2

    def run(self, *options: object) -> dict[str, Any]:
        """Run mhd2d with `options` and return its report.

        Raises
        ------
        SolverError
            If it fails.
        """
        command = [str(self.program), *(str(option) for option in options), "--json"]
        done = run_under_mpi(command, ranks=self.ranks)
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise SolverError(f"{' '.join(command)} failed (exit {done.returncode}):\n{tail}")
        return json.loads(done.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]
