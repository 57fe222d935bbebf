"""Frames in netCDF: variables over (time, [component,] y, x); scale factors and fill values are applied."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import CorruptError, NotFoundError
from surrogate.io.arrays import COMPONENT, TIME, TRAJECTORY, ArrayFrames, Source, reading
from surrogate.io.optional import need

SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")
_TIMES = ("time", "t")
_TRAJECTORIES = ("trajectory", "sample", "realization", "member")


def open_netcdf(path: str | os.PathLike[str]) -> ArrayFrames:
    """Open a netCDF file; its last two dimensions are space, ``time`` or ``t`` is time.

    Raises
    ------
    NotFoundError
        If there is no such file.
    CorruptError
        If it cannot be read, or holds no variable over two dimensions.
    UnsupportedError
        If xarray is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    xarray = need("xarray", extra="io", what=f"{path}: netCDF")
    need("h5netcdf", extra="io", what=f"{path}: netCDF")
    with reading(path):
        data = xarray.open_dataset(path, engine=_engine(path), decode_times=False, cache=False)
    try:
        return labelled(
            path,
            {name: (variable, variable.dims) for name, variable in data.variables.items()},
            attributes=data.attrs,
            close=data.close,
        )
    except BaseException:
        data.close()
        raise


def _engine(path: Path) -> str | None:
    """Netcdf-4 files are HDF5; for older ones xarray looks for a reader itself."""
    with path.open("rb") as file:
        return None if file.read(3) == b"CDF" else "h5netcdf"


def labelled(
    path: Path,
    variables: Mapping[str, tuple[Any, tuple[str, ...]]],
    *,
    attributes: Mapping[str, Any],
    close: Callable[[], object] | None = None,
) -> ArrayFrames:
    """Frames out of arrays with named dimensions.

    Parameters
    ----------
    path : Path
        The file, for messages.
    variables : mapping of str to (array-like with attrs, dimensions)
        One-dimensional ones that are called as their dimension are its coordinates.
    attributes : mapping
        The file's; numbers among them are scalar parameters.
    close : callable, optional
        Closes the file.

    Raises
    ------
    CorruptError
        If there is no array over two dimensions.
    """
    sources = {
        name: Source(values, _axes(dims), str(values.attrs.get("units", "1")))
        for name, (values, dims) in variables.items()
        if len(dims) >= 2 and np.dtype(values.dtype).kind in "biuf"
    }
    if not sources:
        raise CorruptError(
            f"{path} holds no field: expected arrays over (time, y, x) with named dimensions"
        )
    coordinates = {
        name: values
        for name, (values, dims) in variables.items()
        if dims == (name,) and np.dtype(values.dtype).kind in "biuf"
    }
    time = next((name for name in _TIMES if name in coordinates), None)
    spatial = next(iter(sources.values())).spatial
    return ArrayFrames(
        path,
        sources,
        times=None if time is None else np.asarray(coordinates[time][:], np.float64),
        time_unit="1" if time is None else str(coordinates[time].attrs.get("units", "1")),
        coordinates={
            axis: np.asarray(coordinates[axis][:], np.float64)
            for axis in spatial
            if axis in coordinates
        },
        scalars={k: float(v) for k, v in attributes.items() if isinstance(v, int | float)}
        | {k: float(np.asarray(v[...])) for k, (v, dims) in variables.items() if dims == ()},
        close=close,
    )


def _axes(dims: tuple[str, ...]) -> tuple[str, ...]:
    """Dimensions as axes: the last two are space, time and trajectories are known by name, another is components."""
    kinds = [
        TIME if d in _TIMES else TRAJECTORY if d in _TRAJECTORIES else COMPONENT for d in dims[:-2]
    ]
    return (*kinds, *dims[-2:])
