"""Where the installed parts lie: what a solver's build needs, and the bundles that come with the package."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from surrogate import _native
from surrogate.errors import NotFoundError

SUFFIX = ".surrogate"


def _root() -> Path:
    # Headers, library and CMake package are installed beside the compiled module, which in an editable
    # installation is not where the Python sources are.
    return Path(str(_native.__file__)).resolve().parent


def include_dir() -> Path:
    """Folder for the compiler's ``-I``: holds ``surrogate/surrogate.h``."""
    return _root() / "include"


def library_dir() -> Path:
    """Folder for the linker's ``-L`` and ``-Wl,-rpath``: holds the library and the engines that were built."""
    return _root() / "lib"


def library() -> Path:
    """The shared library of the C API."""
    return library_dir() / "libsurrogate.so"


def mpi_library() -> Path | None:
    """The shared library for domains on many ranks; None where it was built without MPI."""
    path = library_dir() / "libsurrogate_mpi.so"
    return path if path.is_file() else None


def cmake_dir() -> Path:
    """Folder of the CMake package: ``find_package(surrogate CONFIG PATHS <this>)``, or ``-Dsurrogate_DIR=<this>``."""
    return library_dir() / "cmake" / "surrogate"


def pkgconfig_dir() -> Path:
    """Folder for ``PKG_CONFIG_PATH``: holds ``surrogate.pc``, and ``surrogate_mpi.pc`` where it was built with MPI."""
    return library_dir() / "pkgconfig"


def fortran_module() -> Path:
    """Source of the Fortran module, one file: compile it with the solver."""
    return share_dir() / "surrogate" / "fortran" / "surrogate.f90"


def fortran_mpi_module() -> Path | None:
    """Source of the Fortran module ``surrogate_mpi``; None where it was built without MPI."""
    path = fortran_module().with_name("surrogate_mpi.f90")
    return path if path.is_file() else None


def share_dir() -> Path:
    """Sources that are compiled on the user's machine: the Fortran module, the torch engine, the demo's solver."""
    return _root() / "share"


def bundles_dir() -> Path:
    """Folder of the bundles that come with the package."""
    return Path(__file__).resolve().parent / "bundles"


def shipped_bundles() -> dict[str, Path]:
    """Folders of the bundles that come with the package, by name."""
    folders = sorted(bundles_dir().glob(f"*{SUFFIX}"))
    return {folder.name.removesuffix(SUFFIX): folder for folder in folders}


def find_bundle(path: str | os.PathLike[str]) -> Path:
    """The folder of a bundle: `path` itself, or a bundle of that name that comes with the package.

    Raises
    ------
    NotFoundError
        If there is neither.
    """
    folder = Path(path)
    name = os.fspath(path)
    if name and folder.exists():
        return folder
    shipped = shipped_bundles()
    if name.removesuffix(SUFFIX) in shipped:
        return shipped[name.removesuffix(SUFFIX)]
    near = difflib.get_close_matches(name, shipped, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    known = ", ".join(shipped) or "none"
    raise NotFoundError(
        f"{name or '(empty name)'}: no such bundle; expected a folder NAME{SUFFIX}, or the name of one that comes "
        f"with the package ({known}){hint}"
    )
