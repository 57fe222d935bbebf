"""One state in one file: ``.npy`` (the whole state), ``.npz`` and ``.h5`` (an array a field, by name)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import ArgumentError, CorruptError, NotFoundError

_HDF5 = (".h5", ".hdf5")
_EXPECTED = "expected .npy, .npz, .h5 or .hdf5"


def read_state(path: str | os.PathLike[str]) -> Any:
    """Read a state.

    Returns
    -------
    ndarray, or dict of ndarray
        The array of a ``.npy`` file; the named arrays of the others (of HDF5, the datasets in the
        root group).

    Raises
    ------
    NotFoundError
        If there is no such file.
    CorruptError
        If it cannot be read.
    ArgumentError
        If its suffix is none of those.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        if path.suffix in _HDF5:
            return _read_hdf5(path)
        content = np.load(path, allow_pickle=False)
        return content if path.suffix == ".npy" else dict(content)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptError(f"{path}: cannot be read ({error})") from error


def write_state(path: str | os.PathLike[str], state: Any) -> None:
    """Write a state, in the form that :func:`read_state` returns.

    Raises
    ------
    ArgumentError
        If the suffix is unknown or does not fit one array or named arrays.
    """
    path = Path(path)
    check_output(path, named=isinstance(state, Mapping))
    if path.suffix == ".npy":
        np.save(path, state)
    elif path.suffix == ".npz":
        np.savez(path, **state)
    else:
        _write_hdf5(path, state)


def check_output(path: str | os.PathLike[str], *, named: bool) -> None:
    """Fail before the work is done, not after, if :func:`write_state` would not take this path.

    Raises
    ------
    ArgumentError
        If not.
    """
    _check_suffix(Path(path))
    if named == (Path(path).suffix == ".npy"):
        wanted = ".npz or .h5 (named arrays)" if named else ".npy (one array)"
        raise ArgumentError(f"{path}: expected {wanted}, as the input is")


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".npy", ".npz", *_HDF5):
        raise ArgumentError(f"{path}: unknown kind of file {path.suffix!r}; {_EXPECTED}")


def _read_hdf5(path: Path) -> dict[str, Any]:
    import h5py

    with h5py.File(path, "r") as file:
        return {name: entry[()] for name, entry in file.items() if isinstance(entry, h5py.Dataset)}


def _write_hdf5(path: Path, state: Mapping[str, Any]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in state.items():
            file[name] = array
