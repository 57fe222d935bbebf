"""One state from or to a file: ``.npy`` (the whole state), ``.npz`` and ``.h5`` (an array a field, by name)."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import ArgumentError, CorruptError, NotFoundError, SurrogateError
from surrogate.io.hdf5 import FrameFile, holds_frames

_HDF5 = (".h5", ".hdf5")
_EXPECTED = "expected .npy, .npz, .h5 or .hdf5"


def read_state(path: str | os.PathLike[str], *, frame: int | None = None) -> Any:
    """Read a state.

    Parameters
    ----------
    path : path
        The file.
    frame : int, optional
        Which one, of an HDF5 file of many (a recording, or mhd2d's); a negative one counts from the last.

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
        If its suffix is none of those, or `frame` is missing, superfluous or not there.
    """
    path = Path(path)
    _check_suffix(path)
    if frame is not None and path.suffix not in _HDF5:
        raise ArgumentError(f"{path}: one state; frame={frame} needs an HDF5 file of many frames")
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        if path.suffix in _HDF5:
            return _read_hdf5(path, frame)
        return _read_numpy(path)
    except SurrogateError:
        raise
    except OSError as error:
        raise CorruptError(f"{path}: cannot be read ({error}); copy or write it again") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CorruptError(
            f"{path}: cannot be read: no array of numbers in the format {path.suffix}, or the file is truncated; "
            "copy or write it again"
        ) from error


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
        If the suffix is unknown or does not fit, or the path is a folder.
    NotFoundError
        If the folder that it stands in does not exist.
    """
    path = Path(path)
    _check_suffix(path)
    if not path.parent.is_dir():
        raise NotFoundError(f"{path}: no folder {path.parent}; make it, or write elsewhere")
    if path.is_dir():
        raise ArgumentError(f"{path}: is a folder; expected the name of a file to write")
    if named == (path.suffix == ".npy"):
        wanted = ".npz or .h5 (named arrays)" if named else ".npy (one array)"
        raise ArgumentError(f"{path}: expected {wanted}, as the input is")


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".npy", ".npz", *_HDF5):
        raise ArgumentError(f"{path}: unknown kind of file {path.suffix!r}; {_EXPECTED}")


def _read_numpy(path: Path) -> Any:
    with path.open("rb") as file:  # ours to close: numpy leaves damaged archives open
        content = np.load(file, allow_pickle=False)
        if isinstance(content, Mapping) != (path.suffix == ".npz"):
            raise ValueError("one array where named arrays are expected, or the reverse")
        return dict(content) if isinstance(content, Mapping) else content


def _read_hdf5(path: Path, frame: int | None) -> dict[str, Any]:
    import h5py

    with h5py.File(path, "r") as file:
        many = holds_frames(file)
        if not many and frame is None:
            return {
                name: entry[()] for name, entry in file.items() if isinstance(entry, h5py.Dataset)
            }
    if not many:
        raise ArgumentError(f"{path}: one state; frame={frame} needs a file of many frames")
    with FrameFile(path) as frames:
        if frame is None:
            raise ArgumentError(
                f"{path} holds {frames.frames} frames; say which one (frame=K, on the command line --frame K)"
            )
        return frames.state(frame)


def _write_hdf5(path: Path, state: Mapping[str, Any]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in state.items():
            file[name] = array
