"""Programs that use module surrogate_mpi, compiled as a user does: both modules' sources with the solver's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from compiling import INCLUDE, LIBRARY, MODULE, STRICT, need_library, run

MPI_MODULE = MODULE.with_name("surrogate_mpi.f90")


def compile_with_mpi(source: Path, target: Path) -> Path:
    """Compile `source` without a warning and link libsurrogate_mpi, or skip."""
    if shutil.which("mpifort") is None:
        pytest.skip("mpifort is missing: apt-get install libopenmpi-dev gfortran")
    need_library()
    if not (LIBRARY / "libsurrogate_mpi.so").exists():
        pytest.skip(f"{LIBRARY / 'libsurrogate_mpi.so'} is missing: make native, with an MPI for C")
    flags = [*STRICT["gfortran"], "-Wno-compare-reals", "-g", "-fcheck=all", f"-I{INCLUDE}"]
    libraries = [f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lsurrogate_mpi", "-lsurrogate"]
    sources = [MODULE, MPI_MODULE, source]
    run(["mpifort", *flags, "-J", target.parent, *sources, "-o", target, *libraries], timeout=300)
    return target
