"""Compilers, build tools, MPI and HDF5."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import sysconfig
from pathlib import Path

from surrogate.environment.findings import Finding, Section, first_line, probed

_COMPILERS = {
    "gcc": "apt-get install gcc",
    "g++": "apt-get install g++",
    "gfortran": "apt-get install gfortran",
    "cmake": "pip install cmake",
    "ninja": "pip install ninja",
}
_VERSION_LINES = {"nvcc": "release"}  # where the version is not in the first line


def compilers() -> Section:
    """Compilers and build tools, with the line that installs what is missing."""
    found = [_tool(name, remedy) for name, remedy in _COMPILERS.items()]
    nvcc = _tool("nvcc", "")
    return Section("compilers", (*found, *([nvcc] if nvcc.found else [])))


def mpi() -> Section:
    """MPI's compiler and launcher, the MPI of libsurrogate_mpi, and whether mpi4py runs on the same."""
    remedy = "apt-get install libopenmpi-dev openmpi-bin"
    facts = probed("mpi")
    library, version = facts.get("library", ""), package_version("mpi4py")
    rebuild = f"{remedy}, then install surrogate again"
    same = "" if "error" in facts or not library else "on the same MPI"
    told = f"{version}, {same or facts.get('error', '')}".rstrip(", ") if version else ""
    return Section(
        "mpi",
        (
            _tool("mpicc", remedy),
            _tool("mpirun", remedy),
            Finding("library", library, bool(library), "" if library else rebuild),
            Finding(
                "mpi4py", told, bool(version and same), "" if version else "pip install mpi4py"
            ),
        ),
    )


def hdf5() -> Section:
    """Python's HDF5 and the system's: two copies that must not meet in one process."""
    system = first_line("pkg-config", "--modversion", "hdf5") or first_line(
        "pkg-config", "--modversion", "hdf5-serial"
    )
    return Section(
        "hdf5",
        (
            Finding("h5py", _h5py()),
            Finding(
                "system", system, bool(system), "" if system else "apt-get install libhdf5-dev"
            ),
        ),
    )


def package_version(name: str) -> str:
    """Version of an installed Python package; empty if there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _h5py() -> str:
    import h5py

    return f"{h5py.version.version} with HDF5 {h5py.version.hdf5_version}"


def _tool(name: str, remedy: str) -> Finding:
    # Tools of the virtual environment count even where it is not activated.
    scripts = Path(sysconfig.get_path("scripts"))
    path = shutil.which(name) or shutil.which(name, path=f"{scripts}:{Path(sys.executable).parent}")
    line = first_line(path, "--version", contains=_VERSION_LINES.get(name, "")) if path else ""
    return Finding(
        name, f"{line} ({path})" if path else "", path is not None, "" if path else remedy
    )
