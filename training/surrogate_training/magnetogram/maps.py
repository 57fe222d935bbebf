"""Maps of the whole Sun that a solver wrote, and boxes on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import ArgumentError, FieldError, UnitError
from surrogate.io.tai import HOURS

_DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180 / np.pi, "radian": 180 / np.pi}


@dataclass(frozen=True)
class Map:
    """The grid of a map: degrees of the cells' centres, and their distance."""

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]

    @property
    def spacing(self) -> tuple[float, float]:
        """Degrees a cell, (latitude, longitude)."""
        return (
            float(np.diff(self.latitude).mean()),
            float(np.diff(self.longitude).mean()),
        )


@dataclass(frozen=True)
class Box:
    """Cells of a map: first row, first column, and cells along each side."""

    row: int
    column: int
    size: int

    @property
    def cells(self) -> tuple[slice, slice]:
        """Index of the cells in a map (ny, nx)."""
        return slice(self.row, self.row + self.size), slice(self.column, self.column + self.size)

    def place(self, whole: Map) -> Map:
        """The grid of the box."""
        rows, columns = self.cells
        return Map(whole.longitude[columns], whole.latitude[rows])


def read_axes(path: Path) -> tuple[Map, NDArray[np.float64]]:
    """Degrees of the cells, and hours of the frames."""
    import h5py

    with h5py.File(path, "r") as file:
        dimensions = file.get("dimensions")
        if dimensions is None or len(dimensions.attrs.get("spatial_dims", ())) != 2:
            raise FieldError(
                f"{path}: no group dimensions with two spatial axes; expected a recording in The Well's layout"
            )
        y, x = (str(name) for name in dimensions.attrs["spatial_dims"])
        latitude, longitude = (_scaled(dimensions[a], _DEGREES, path) for a in (y, x))
        hours = _scaled(dimensions["time"], HOURS, path)
    for name, values in (("latitude", latitude), ("longitude", longitude)):
        steps = np.diff(values)
        if len(steps) == 0 or not np.allclose(steps, steps.mean(), rtol=1e-4) or steps.mean() <= 0:
            raise FieldError(f"{path}: {name} does not grow in equal steps, as CRLN-CAR needs")
    return Map(longitude, latitude), np.atleast_1d(hours if hours.ndim == 1 else hours[0])


def cut_boxes(shape: tuple[int, int], size: int, *, sectors: int = 0, bands: int = 0) -> list[Box]:
    """Boxes on a map (ny, nx), from west to east, then from south to north.

    Parameters
    ----------
    shape : (int, int)
        Cells of the map.
    size : int
        Cells along each side of a box.
    sectors, bands : int
        Boxes along longitude and latitude, each in the middle of its share of the map; 0: as many as fit.

    Raises
    ------
    ArgumentError
        If they would overlap, or are no boxes.
    """
    if size < 2:
        raise ArgumentError(f"--size {size}: expected at least 2 cells")
    ny, nx = shape
    rows = _first_cells(ny, bands, size, "bands")
    columns = _first_cells(nx, sectors, size, "sectors")
    return [Box(row, column, size) for row in rows for column in columns]


def _first_cells(cells: int, asked: int, size: int, what: str) -> list[int]:
    fitting = cells // size
    if fitting < max(asked, 1):
        raise ArgumentError(
            f"{max(asked, 1)} {what} of {size} cells do not fit {cells} cells; choose at most {fitting}, or a smaller "
            "--size"
        )
    share = cells / (asked or fitting)
    return [int(np.floor(k * share + (share - size) / 2)) for k in range(asked or fitting)]


def _scaled(dataset: Any, known: dict[str, float], path: Path) -> NDArray[np.float64]:
    unit = str(dataset.attrs.get("units", "1"))
    if unit not in known:
        raise UnitError(
            f"{path}: {dataset.name} has the unit {unit!r}; expected one of {', '.join(known)}: set its attribute units"
        )
    return np.asarray(dataset, np.float64) * known[unit]
