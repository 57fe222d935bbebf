"""libsurrogate_mpi and mpi4py, imported late, and whether both run on the same MPI."""

from __future__ import annotations

import importlib
import logging
import os
from typing import TYPE_CHECKING, Any, Protocol

from surrogate.errors import ArgumentError, UnsupportedError

if TYPE_CHECKING:
    from types import ModuleType

_log = logging.getLogger("surrogate")
_LAUNCHERS = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")  # Open MPI; MPICH, Intel MPI and Slurm


class Communicator(Protocol):
    """What is asked of an ``mpi4py.MPI.Comm``."""

    def Get_rank(self) -> int: ...  # noqa: N802, D102
    def Get_size(self) -> int: ...  # noqa: N802, D102
    def py2f(self) -> int: ...  # noqa: D102


def native() -> Any:
    """The compiled module ``surrogate._native_mpi``.

    Raises
    ------
    UnsupportedError
        If this installation holds none, or its MPI cannot be loaded.
    """
    try:
        return importlib.import_module("surrogate._native_mpi")
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "comm=: this installation of surrogate was built without MPI; install one for C (apt-get install "
            "libopenmpi-dev openmpi-bin, or load your site's module), then surrogate again: "
            "pip install --no-build-isolation --force-reinstall --no-deps ."
        ) from error
    except ImportError as error:
        raise UnsupportedError(
            f"comm=: libsurrogate_mpi cannot be loaded ({error}); load the MPI that it was built with, or install "
            "surrogate again with the one at hand"
        ) from error


def handle_of(comm: Communicator) -> int:
    """The communicator as the integer that libsurrogate_mpi takes.

    Raises
    ------
    UnsupportedError
        If mpi4py is missing, or runs on another MPI than libsurrogate_mpi: nothing was called with the handle then.
    ArgumentError
        If `comm` is no communicator of mpi4py, or MPI is not running.
    """
    library = native()
    mpi = _mpi4py()
    if not isinstance(comm, mpi.Comm):
        raise ArgumentError(
            f"comm is of type {type(comm).__module__}.{type(comm).__qualname__}; expected a communicator of mpi4py"
        )
    check_same_mpi(mpi, library)
    if not mpi.Is_initialized() or mpi.Is_finalized():
        state = "finalised already" if mpi.Is_initialized() else "not initialised"
        raise ArgumentError(
            f"comm: MPI is {state}; open the model between MPI.Init and MPI.Finalize"
        )
    handle = int(comm.py2f())
    if comm != mpi.COMM_NULL:
        _check_size(comm, library.size(handle))
    _warn_of_another_launcher(mpi)
    return handle


def facts() -> dict[str, str]:
    """``library``: the MPI of libsurrogate_mpi; ``error``: why mpi4py cannot be used with it.

    Loads both and initialises neither: for a process of its own.
    """
    found: dict[str, str] = {}
    try:
        library = native()
        found["library"] = _line(library.library_version())
        import mpi4py

        mpi4py.rc.initialize = False
        check_same_mpi(_mpi4py(), library)
    except (ImportError, UnsupportedError) as error:
        found["error"] = str(error)
    return found


def check_same_mpi(mpi: ModuleType | Any, library: ModuleType | Any) -> None:
    """Raise UnsupportedError unless mpi4py's MPI is the one that libsurrogate_mpi was built for and runs on."""
    theirs, ours = _line(mpi.Get_library_version()), _line(library.library_version())
    if theirs != ours:
        raise UnsupportedError(
            f"comm belongs to another MPI than libsurrogate_mpi: mpi4py runs on {theirs!r}, libsurrogate_mpi on "
            f"{ours!r}; both must use one: install surrogate again with the mpicc of mpi4py's MPI first on the PATH"
        )
    if library.IMPLEMENTATION not in ours:
        raise UnsupportedError(
            f"libsurrogate_mpi was compiled for {library.IMPLEMENTATION}, and {ours!r} is loaded in its place; "
            "load the MPI that it was compiled for, or install surrogate again"
        )


def _mpi4py() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise UnsupportedError(
            f"comm= needs mpi4py ({error}); install it: pip install 'surrogate[mpi]'"
        ) from error
    return MPI


def _line(version: str) -> str:
    return version.rstrip("\0 \n").partition("\n")[0].strip()


def _check_size(comm: Communicator, seen: int) -> None:
    if seen != comm.Get_size():
        raise UnsupportedError(
            f"comm has {comm.Get_size()} ranks, and {seen} as libsurrogate_mpi sees it; two copies of one MPI are "
            "loaded: let mpi4py and libsurrogate_mpi use the same file (ldd tells which)"
        )


def _warn_of_another_launcher(mpi: Any) -> None:
    started = next((os.environ[name] for name in _LAUNCHERS if name in os.environ), "1")
    if mpi.COMM_WORLD.Get_size() == 1 and started not in ("", "0", "1"):
        _log.warning(
            "this process was started as one of %s, and its MPI (%s) knows of one only: the launcher (mpirun) belongs "
            "to another MPI",
            started,
            _line(mpi.Get_library_version()),
        )
