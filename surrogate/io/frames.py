"""Files of frames, whatever their format: one protocol, and one function that opens them."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import ArgumentError, NotFoundError
from surrogate.io import fits, images, netcdf, npy, zarr
from surrogate.io.arrays import Array, ArrayFrames
from surrogate.io.hdf5 import SUFFIXES as HDF5_SUFFIXES
from surrogate.io.hdf5 import FrameFile
from surrogate.io.layout import Layout, load_layout, open_by_layout, renamed

__all__ = ["FrameFile", "Frames", "open_frames"]


@runtime_checkable
class Frames(Protocol):
    """A file of frames, opened for reading; close it, or use it in a ``with`` statement.

    Attributes
    ----------
    path : Path
        The file.
    names : tuple of str
        The fields.
    frames, trajectories : int
        Frames of a trajectory, and trajectories.
    shape : tuple of int
        Cells, slowest axis first, as all that is given an axis.
    axes : tuple of str
        Names of the spatial axes.
    spacing : tuple of float
        Distance of cells.
    constants : dict of str to float
        Scalar parameters that do not change in time.
    time_unit : str
        Unit of the times; ``1`` if the file does not say.
    """

    path: Path
    names: tuple[str, ...]
    frames: int
    trajectories: int

    @property
    def time_unit(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def axes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def spacing(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def constants(self) -> dict[str, float]: ...  # noqa: D102

    def times(self, trajectory: int = 0) -> NDArray[np.float64]:
        """Times of the frames, shape (frames,)."""

    def coordinate(self, axis: str) -> NDArray[np.float64]:
        """Coordinates of the cells along an axis, shape (n,)."""

    def unit(self, name: str) -> str:
        """Unit of a field; ``1`` if the file does not say."""

    def components(self, name: str) -> int:
        """Number of components of a field."""

    def dtype(self, name: str) -> np.dtype[Any]:
        """Type of the values that :meth:`read` returns."""

    def scalar(self, name: str) -> Array:
        """A scalar parameter, shape (frames,)."""

    def read(self, name: str, start: int, stop: int, *, trajectory: int = 0) -> Array:
        """Frames `start` to `stop` of a field, or of one component of it (``NAME[k]``).

        Returns
        -------
        ndarray, shape (frames, ny, nx), or (frames, components, ny, nx) for a field of several components
            In the file's precision and this machine's byte order.

        Raises
        ------
        FieldError
            If there is no such field; the nearest name is told.
        CorruptError
            If the values cannot be read.
        """

    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"SIMPLE  =": "fits",
    b"\x93NUMPY": "npy",
    b"CDF": "netcdf",
}
_SUFFIXES = {
    "hdf5": HDF5_SUFFIXES,
    "fits": fits.SUFFIXES,
    "netcdf": netcdf.SUFFIXES,
    "npy": (".npy",),
    "zarr": (".zarr",),
    "images": images.SUFFIXES,
}


def open_frames(
    path: str | os.PathLike[str], *, mapping: Layout | str | os.PathLike[str] | None = None
) -> Frames:
    """Open a file (or folder) of frames by its suffix, else by its content.

    Parameters
    ----------
    path : path
        HDF5 (The Well's layout, the recorder's files, arrays beside ``/time``), FITS, netCDF, Zarr, ``.npy``, an image
        or a folder of images.
    mapping : Layout or path, optional
        Where an HDF5 or Zarr file of any other layout keeps its fields (see :mod:`surrogate.io.layout`); of other
        formats it renames fields and gives their units.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ArgumentError
        If it is of no known kind, or the mapping is wrong.
    SurrogateError
        If the file is damaged, or a package that reads it is missing.
    """
    path = Path(path)
    layout = mapping if mapping is None or isinstance(mapping, Layout) else load_layout(mapping)
    kind = _kind(path)
    if layout is not None and kind in ("hdf5", "zarr"):
        return open_by_layout(path, layout, kind=kind)
    if kind == "hdf5":
        return FrameFile(path)
    opened: ArrayFrames = _OPENERS[kind](path)
    return opened if layout is None else renamed(opened, layout)


_OPENERS = {
    "fits": fits.open_fits,
    "netcdf": netcdf.open_netcdf,
    "npy": npy.open_npy,
    "zarr": zarr.open_zarr,
    "images": images.open_images,
}


def _kind(path: Path) -> str:
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    if path.is_dir():
        return "zarr" if zarr.is_store(path) else "images"
    name = path.name.lower()
    for kind, suffixes in _SUFFIXES.items():
        if name.endswith(suffixes):
            return kind
    with path.open("rb") as file:
        start = file.read(16)
    for beginning, kind in _BEGINNINGS.items():
        if start.startswith(beginning):
            return kind
    known = ", ".join(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
    raise ArgumentError(f"{path}: unknown kind of file; expected {known}, or a folder of images")
