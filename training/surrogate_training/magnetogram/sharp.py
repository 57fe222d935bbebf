"""Frames of a solver as files like those of HMI's SHARP series: one FITS file a segment, region and time.

Regions are boxes of equal size at fixed Carrington longitudes and latitudes, cut from maps that are equidistant in
both (plate carrée, ``CRLN-CAR``). Headers follow Bobra et al. (2014, Solar Physics 289, 3549), so that the rest of the
pipeline cannot tell them from JSOC's files, save by TELESCOP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import ArgumentError, FieldError, UnitError
from surrogate.io.frames import FrameFile
from surrogate.io.tai import HOURS, compact_time, format_time, utc_text
from surrogate_training.magnetogram.images import Array, Header, write_image
from surrogate_training.magnetogram.masks import off_limb

JSOC_EPOCH = datetime(1977, 1, 1)
"""What the scalar ``start_time`` counts seconds from (TAI)."""

_ROTATION = 360 / 27.2753  # degrees a day, of the central meridian against Carrington's grid
_RADIUS = 6.957e10  # cm, the Sun's nominal radius (IAU 2015 resolution B3)
_DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180 / np.pi, "radian": 180 / np.pi}
_JSOC_STEP = 0.01  # Mx/cm^2, what JSOC's int32 segments count in


@dataclass(frozen=True)
class SharpOptions:
    """How regions are cut and stored.

    Attributes
    ----------
    size : int
        Cells along each side of a region.
    sectors, bands : int
        Regions along longitude and latitude, each in the middle of its share of the map; 0: as many as fit.
    first_harp : int
        HARPNUM of the region in the south-west; the others count east, then north. Real ones end far below.
    fields : tuple of str
        Fields to write; empty: all.
    start : datetime, optional
        TAI of time 0; default: the recording's scalar ``start_time``.
    limb : float, optional
        Cells farther than this from the middle of the disc (degrees) at their time are NaN; default: none.
    stored : {"float32", "int32"}
        See :func:`write_image`.
    """

    size: int = 128
    sectors: int = 0
    bands: int = 0
    first_harp: int = 900001
    fields: tuple[str, ...] = ()
    start: datetime | None = None
    limb: float | None = None
    stored: Literal["float32", "int32"] = "float32"


@dataclass
class SharpReport:
    """Files written; `unseen` counts those left out because all of their cells are off the limb."""

    files: list[Path] = field(default_factory=list)
    regions: int = 0
    frames: int = 0
    unseen: int = 0


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
class Region:
    """A box of cells: its number, first row and first column."""

    harp: int
    row: int
    column: int
    size: int

    def cut(self, u: NDArray[Any]) -> NDArray[Any]:
        """The box of a map (ny, nx)."""
        return u[self.row : self.row + self.size, self.column : self.column + self.size]


def write_sharps(source: Path, out: Path, options: SharpOptions | None = None) -> SharpReport:
    """Cut regions out of a recording's maps and write them.

    Parameters
    ----------
    source : Path
        Frames of fields (ny, nx) in The Well's layout; its last axis is Carrington longitude, the other latitude,
        both in degrees or radians.
    out : Path
        Folder of the files ``sim.sharp_car.HARPNUM.TIME.SEGMENT.fits``.
    options : SharpOptions, optional
        How.

    Raises
    ------
    SurrogateError
        If the file has no such axes, units or fields, or the regions do not fit the map.
    """
    options = options or SharpOptions()
    with FrameFile(source) as frames:
        grid, hours = _read_axes(source)
        names = _fields(frames, options)
        regions = cut_regions((len(grid.latitude), len(grid.longitude)), options)
        start = options.start or _start(frames, source)
        report = SharpReport(regions=len(regions), frames=frames.frames)
        cadence = 3600 * float(np.diff(hours).mean()) if len(hours) > 1 else 0.0
        for n, hour in enumerate(hours):
            maps = {name: frames.read(name, n, n + 1)[0] for name in names}
            meridian = _meridian(grid, float(hour - hours[0]))
            # a solver's times carry round-off; T_REC counts whole seconds
            time = start + timedelta(seconds=round(float(hour) * 3600))
            frame = _Frame(time, cadence, meridian, maps, {k: frames.unit(k) for k in names})
            for region in regions:
                _write_region(region, frame, grid, out, options, report)
    return report


def write_all_sharps(
    sources: Sequence[Path], out: Path, options: SharpOptions | None = None
) -> SharpReport:
    """The same of several recordings, which follow one another in time.

    Raises
    ------
    ArgumentError
        If two of them have a frame of one time.
    """
    whole, seen = SharpReport(), dict[Path, Path]()
    for source in sources:
        report = write_sharps(source, out, options)
        if again := next((path for path in report.files if path in seen), None):
            raise ArgumentError(
                f"{source} and {seen[again]} both have the frame of {again.name}; convert them to folders of their "
                "own, with another --first-harp"
            )
        seen |= dict.fromkeys(report.files, source)
        whole.files += report.files
        whole.regions = report.regions
        whole.frames += report.frames
        whole.unseen += report.unseen
    return whole


def cut_regions(shape: tuple[int, int], options: SharpOptions) -> list[Region]:
    """Boxes on a map (ny, nx), from south-west to north-east.

    Raises
    ------
    ArgumentError
        If they would overlap.
    """
    counts = []
    for what, cells, asked in zip(
        ("bands", "sectors"), shape, (options.bands, options.sectors), strict=True
    ):
        fitting = cells // options.size
        if options.size < 1 or fitting < max(asked, 1):
            raise ArgumentError(
                f"{max(asked, 1)} {what} of {options.size} cells do not fit {cells} cells; choose at most {fitting}, "
                "or a smaller --size"
            )
        counts.append(asked or fitting)
    bands, sectors = counts
    return [
        Region(
            options.first_harp + band * sectors + sector,
            _first_cell(shape[0], bands, band, options.size),
            _first_cell(shape[1], sectors, sector, options.size),
            options.size,
        )
        for band in range(bands)
        for sector in range(sectors)
    ]


def unsigned_flux(br: Array, latitude: NDArray[np.float64], spacing: tuple[float, float]) -> float:
    """Total unsigned flux in Mx: ∑ |Br| dA over the cells with data.

    A cell at latitude φ has the area R² Δλ (sin(φ + Δφ/2) - sin(φ - Δφ/2)).
    """
    dlat, dlon = np.deg2rad(spacing)
    edges = np.deg2rad(latitude)[:, None] + np.array([-0.5, 0.5]) * dlat  # (ny, 2)
    area = _RADIUS**2 * dlon * np.diff(np.sin(edges), axis=1)  # (ny, 1)
    return float(np.nansum(np.abs(br) * area))


@dataclass(frozen=True)
class _Frame:
    """All maps of one time."""

    time: datetime
    cadence: float
    meridian: float
    maps: dict[str, NDArray[Any]]
    units: dict[str, str]


def _first_cell(cells: int, boxes: int, number: int, size: int) -> int:
    """The box stands in the middle of its share of the axis."""
    share = cells / boxes
    return int(np.floor(number * share + (share - size) / 2))


def _read_axes(path: Path) -> tuple[Map, NDArray[np.float64]]:
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


def _scaled(dataset: Any, known: dict[str, float], path: Path) -> NDArray[np.float64]:
    unit = str(dataset.attrs.get("units", "1"))
    if unit not in known:
        raise UnitError(
            f"{path}: {dataset.name} has the unit {unit!r}; expected one of {', '.join(known)}: set its attribute units"
        )
    return np.asarray(dataset, np.float64) * known[unit]


def _fields(frames: FrameFile, options: SharpOptions) -> tuple[str, ...]:
    names = options.fields or frames.names
    for name in names:
        if name not in frames.names:
            raise FieldError(
                f"{frames.path} has no field {name!r}; it has {', '.join(frames.names)}"
            )
    if "br" not in names:
        raise FieldError(
            f"{frames.path}: no field br among {', '.join(names)}; SHARP headers need the radial field (USFLUX)"
        )
    return tuple(names)


def _start(frames: FrameFile, path: Path) -> datetime:
    seconds = frames.constants.get("start_time")
    if seconds is None:
        raise FieldError(
            f"{path}: no scalar start_time (seconds TAI since 1977-01-01); give --start 2021.12.01_00:00:00_TAI"
        )
    return JSOC_EPOCH + timedelta(seconds=round(seconds))


def _meridian(grid: Map, hours: float) -> float:
    """Carrington longitude below the observer; at first the middle of the map."""
    middle = (grid.longitude[0] + grid.longitude[-1]) / 2
    return float((middle - _ROTATION * hours / 24) % 360)


def _write_region(
    region: Region, frame: _Frame, grid: Map, out: Path, options: SharpOptions, report: SharpReport
) -> None:
    """All segments of one region at one time."""
    rows = slice(region.row, region.row + region.size)
    columns = slice(region.column, region.column + region.size)
    latitude, longitude = grid.latitude[rows], grid.longitude[columns]
    hidden = np.zeros((region.size, region.size), bool)
    if options.limb is not None:
        hidden = off_limb(longitude, latitude, meridian=frame.meridian, limit=options.limb)
        if hidden.all():
            report.unseen += len(frame.maps)
            return
    cells = {
        name: np.where(hidden, np.float32(np.nan), region.cut(u)).astype(np.float32)
        for name, u in frame.maps.items()
    }
    header = _header(region, frame, grid, latitude, longitude)
    header["USFLUX"] = (
        unsigned_flux(cells["br"], latitude, grid.spacing),
        "[Mx] total unsigned flux of all cells with data",
    )
    for name, unit in frame.units.items():
        segment = name.capitalize()  # vlon_mean -> Vlon_mean
        jsoc_unit = re.sub(r"^G(?=$|/)", "Mx/cm^2", unit)  # JSOC's spelling of the gauss
        own = header.copy()
        own["BUNIT"], own["CONTENT"] = jsoc_unit, segment.upper()
        path = out / f"sim.sharp_car.{region.harp}.{compact_time(frame.time)}.{segment}.fits"
        step = _JSOC_STEP if jsoc_unit == "Mx/cm^2" else 1e-5
        write_image(path, cells[name], own, stored=options.stored, scale=step)
        report.files.append(path)


def _header(
    region: Region,
    frame: _Frame,
    grid: Map,
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
) -> Header:
    """What all segments of a region share."""
    from astropy.io import fits

    return fits.Header(list(_cards(region, frame, grid, latitude, longitude)))


def _cards(
    region: Region,
    frame: _Frame,
    grid: Map,
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
) -> Iterator[tuple[str, Any, str]]:
    dlat, dlon = grid.spacing
    centre = float((longitude[0] + longitude[-1]) / 2)
    away = (centre - frame.meridian + 180) % 360 - 180  # from the central meridian
    half = dlon * len(longitude) / 2
    yield "TELESCOP", "flux_transport", "a simulation"
    yield "INSTRUME", "SIMULATION", ""
    yield "ORIGIN", "surrogate", ""
    yield "HARPNUM", region.harp, "number of the region; 900001 and above: simulated"
    yield "NOAA_AR", 0, "none"
    yield "NOAA_NUM", 0, ""
    yield "NOAA_ARS", "MISSING", ""
    yield "T_REC", format_time(frame.time), ""
    yield "T_OBS", format_time(frame.time), ""
    yield "DATE-OBS", utc_text(frame.time), "UTC"
    yield "CADENCE", frame.cadence, "[s]"
    yield "QUALITY", 0, ""
    yield "WCSNAME", "Carrington Heliographic", ""
    yield "CTYPE1", "CRLN-CAR", "plate carree"
    yield "CTYPE2", "CRLT-CAR", ""
    yield "CUNIT1", "degree", ""
    yield "CUNIT2", "degree", ""
    yield "CRPIX1", (len(longitude) + 1) / 2, "middle of the region"
    # a plate carrée is only then one of latitude when its reference lies on the equator (Calabretta & Greisen 2002)
    yield "CRPIX2", float(1 - latitude[0] / dlat), "the equator"
    yield "CRVAL1", centre % 360, ""
    yield "CRVAL2", 0.0, ""
    yield "CDELT1", dlon, ""
    yield "CDELT2", dlat, ""
    yield "CROTA2", 0.0, ""
    yield "CRLN_OBS", frame.meridian, "[deg] of the central meridian"
    yield "CRLT_OBS", 0.0, "[deg]"
    yield "LON_MIN", away - half, "[deg] from the central meridian"
    yield "LON_MAX", away + half, "[deg]"
    yield "LAT_MIN", float(latitude[0]) - dlat / 2, "[deg]"
    yield "LAT_MAX", float(latitude[-1]) + dlat / 2, "[deg]"
