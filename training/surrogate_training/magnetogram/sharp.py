"""Frames of a solver as files like those of HMI's SHARP series: one FITS file a segment, region and time.

Regions are boxes of equal size at fixed Carrington longitudes and latitudes, cut from maps that are equidistant in
both (plate carrée, ``CRLN-CAR``). Headers follow Bobra et al. (2014, Solar Physics 289, 3549), so that the rest of the
pipeline cannot tell them from JSOC's files, save by TELESCOP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import ArgumentError, FieldError
from surrogate.io.frames import FrameFile
from surrogate.io.tai import compact_time
from surrogate_training.magnetogram.images import new_header, write_image
from surrogate_training.magnetogram.keywords import central_meridian, sharp_cards, unsigned_flux
from surrogate_training.magnetogram.maps import Box, Map, cut_boxes, read_axes
from surrogate_training.magnetogram.masks import off_limb

JSOC_EPOCH = datetime(1977, 1, 1)
"""What the scalar ``start_time`` counts seconds from (TAI)."""

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
        whole, hours = read_axes(source)
        names = _fields(frames, options)
        shape = len(whole.latitude), len(whole.longitude)
        boxes = cut_boxes(shape, options.size, sectors=options.sectors, bands=options.bands)
        start = options.start or _start(frames, source)
        report = SharpReport(regions=len(boxes), frames=frames.frames)
        cadence = 3600 * float(np.diff(hours).mean()) if len(hours) > 1 else 0.0
        for n, hour in enumerate(hours):
            maps = {name: frames.read(name, n, n + 1)[0] for name in names}
            meridian = central_meridian(whole, float(hour - hours[0]))
            # a solver's times carry round-off; T_REC counts whole seconds
            time = start + timedelta(seconds=round(float(hour) * 3600))
            frame = _Frame(time, cadence, meridian, maps, {k: frames.unit(k) for k in names})
            for harp, box in enumerate(boxes, options.first_harp):
                _write_region(harp, box, box.place(whole), frame, out, options, report)
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


@dataclass(frozen=True)
class _Frame:
    """All maps of one time."""

    time: datetime
    cadence: float
    meridian: float
    maps: dict[str, NDArray[Any]]
    units: dict[str, str]


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


def _write_region(
    harp: int,
    box: Box,
    place: Map,
    frame: _Frame,
    out: Path,
    options: SharpOptions,
    report: SharpReport,
) -> None:
    """All segments of one region at one time."""
    hidden = np.zeros((box.size, box.size), bool)
    if options.limb is not None:
        hidden = off_limb(
            place.longitude, place.latitude, meridian=frame.meridian, limit=options.limb
        )
        if hidden.all():
            report.unseen += len(frame.maps)
            return
    cells = {
        name: np.where(hidden, np.float32(np.nan), u[box.cells]).astype(np.float32)
        for name, u in frame.maps.items()
    }
    header = new_header(
        sharp_cards(harp, place, time=frame.time, cadence=frame.cadence, meridian=frame.meridian)
    )
    flux = unsigned_flux(cells["br"], place)
    header["USFLUX"] = (flux, "[Mx] total unsigned flux of all cells with data")
    for name, unit in frame.units.items():
        segment = name.capitalize()  # vlon_mean -> Vlon_mean
        jsoc_unit = re.sub(r"^G(?=$|/)", "Mx/cm^2", unit)  # JSOC's spelling of the gauss
        own = header.copy()
        own["BUNIT"], own["CONTENT"] = jsoc_unit, segment.upper()
        path = out / f"sim.sharp_car.{harp}.{compact_time(frame.time)}.{segment}.fits"
        step = _JSOC_STEP if jsoc_unit == "Mx/cm^2" else 1e-5
        write_image(path, cells[name], own, stored=options.stored, scale=step)
        report.files.append(path)
