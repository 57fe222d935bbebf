"""Frames in a Zarr store: arrays with named dimensions (xarray's, or Zarr 3's), or beside an array ``time``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from surrogate.errors import CorruptError, NotFoundError
from surrogate.io.arrays import COMPONENT, TIME, ArrayFrames, reading
from surrogate.io.netcdf import labelled
from surrogate.io.optional import need


def is_store(path: Path) -> bool:
    """Whether a folder is a Zarr store."""
    marks = ("zarr.json", ".zgroup", ".zarray")
    return path.suffix == ".zarr" or any((path / mark).is_file() for mark in marks)


def open_group(path: str | os.PathLike[str]) -> Any:
    """A store's root group.

    Raises
    ------
    NotFoundError, CorruptError, UnsupportedError
        As :func:`open_zarr`.
    """
    path = Path(path)
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    zarr = need("zarr", extra="io", what=f"{path}: Zarr")
    with reading(path):
        return zarr.open_group(str(path), mode="r")


def open_zarr(path: str | os.PathLike[str]) -> ArrayFrames:
    """Open a store; the last two dimensions of an array are space, ``time`` or ``t`` is time.

    Arrays without named dimensions are (frames, [components,] ny, nx) beside an array ``time`` (frames,).

    Raises
    ------
    NotFoundError
        If there is no such store.
    CorruptError
        If it cannot be read, or holds no field.
    UnsupportedError
        If zarr is missing.
    """
    group = open_group(path)
    path = Path(path)
    with reading(path):
        arrays = dict(group.arrays())
        named = {name: _dimensions(array) for name, array in arrays.items()}
    if any(dims is None for dims in named.values()):
        named = {name: _stacked(path, name, array, arrays) for name, array in arrays.items()}
    variables = {name: (arrays[name], dims) for name, dims in named.items() if dims is not None}
    return labelled(path, variables, attributes=dict(group.attrs))


def _dimensions(array: Any) -> tuple[str, ...] | None:
    """Names of an array's dimensions: Zarr 3's own, or xarray's attribute in Zarr 2."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if not names or any(name is None for name in names):
        return () if array.ndim == 0 else None
    return tuple(str(name) for name in names)


def _stacked(path: Path, name: str, array: Any, arrays: dict[str, Any]) -> tuple[str, ...]:
    if name == TIME and array.ndim == 1:
        return (TIME,)
    leading = {2: (), 3: (TIME,), 4: (TIME, COMPONENT)}.get(array.ndim)
    if leading is None or TIME not in arrays:
        raise CorruptError(
            f"{path}: {name} has shape {array.shape} and no named dimensions; expected an array time (frames,) and "
            "(frames, ny, nx) beside it, or a mapping (YAML)"
        )
    return (*leading, "y", "x")
