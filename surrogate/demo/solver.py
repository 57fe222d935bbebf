"""Compile mhd2d on this machine and run it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate import paths


class DemoError(RuntimeError):
    """The demo cannot go on; the text says what is missing and what to do."""


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "surrogate"


def _run(command: Sequence[str], what: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise DemoError(
            f"{what} failed (exit {done.returncode}): {' '.join(map(str, command))}\n{tail}"
        )
    return done.stdout


def build_solver() -> Path:
    """The mhd2d program, compiled for this CPU from the sources in the package; again only when they changed.

    It is linked to this installation's libsurrogate through ``find_package(surrogate)``, as a user's solver would be.

    Raises
    ------
    DemoError
        If CMake, a C compiler, MPI or HDF5 is missing, or the compilation fails.
    """
    for tool, package in (
        ("cmake", "cmake"),
        ("mpicc", "libopenmpi-dev"),
        ("mpirun", "openmpi-bin"),
    ):
        if shutil.which(tool) is None:
            raise DemoError(
                f"{tool} was not found, it is needed to compile and run mhd2d: install {package}"
            )
    sources = paths.share_dir() / "solvers" / "mhd2d"
    digest = hashlib.sha256(
        "\n".join([str(sources), str(paths.library()), platform.processor()]).encode()
    )
    for file in sorted(path for path in sources.rglob("*") if path.suffix in {".c", ".h", ".txt"}):
        digest.update(file.read_bytes())
    build = _cache() / f"mhd2d-{digest.hexdigest()[:16]}"
    program = build / "mhd2d"
    if not program.exists():
        options = ["-DCMAKE_BUILD_TYPE=Release", f"-Dsurrogate_DIR={paths.cmake_dir()}"]
        _run(["cmake", "-S", str(sources), "-B", str(build), *options], "configuring mhd2d")
        _run(["cmake", "--build", str(build), "--parallel", "2"], "compiling mhd2d")
    return program


@dataclass(frozen=True)
class Solver:
    """How mhd2d is started."""

    program: Path
    ranks: int = 2

    def run(self, *options: object) -> dict[str, Any]:
        """Run mhd2d with `options` and return its report.

        Raises
        ------
        DemoError
            If it fails; the text holds the end of its output.
        """
        environment = os.environ | {
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        }
        command = ["mpirun", "--bind-to", "none", "-n", str(self.ranks), str(self.program)]
        command += [str(option) for option in options] + ["--json"]
        output = _run(command, "mhd2d", environment)
        return json.loads(output.strip().splitlines()[-1])  # type: ignore[no-any-return]
