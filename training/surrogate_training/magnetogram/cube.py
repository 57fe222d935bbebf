"""Cubes: the named channels of one region at one time, in one FITS file.

A cube is a float32 image (channels, ny, nx) whose header is that of its first channel, with CHAN1, CHAN2, … (names),
CHUNIT1, … (units) and CHFILE1, … (where they came from). NaN stays: it is off the limb, or blank.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from surrogate.errors import ArgumentError, FieldError, ShapeError, UnitError
from surrogate.io.tai import compact_time, format_time
from surrogate.io.units import same_unit
from surrogate_training.magnetogram.headers import (
    PATTERN,
    STRUCTURE,
    Identity,
    check_units,
    identify,
)
from surrogate_training.magnetogram.images import (
    Array,
    Header,
    Image,
    find_images,
    new_header,
    read_header,
    read_image,
    staged,
    write_image,
)
from surrogate_training.magnetogram.wcs import check_same_wcs, crop

DEFAULT_CHANNELS = ("Br", "Bt", "Bp")
_OF_CUBES = re.compile(r"CH(AN|UNIT|FILE)\d+|C(TYPE|RPIX|RVAL|DELT|UNIT)3")
Kind = Literal["auto", "segments", "planes", "repeat"]
Frame = tuple[str, datetime]  # region, time


@dataclass(frozen=True)
class Source:
    """One input file: what its header says, and whose it is."""

    path: Path
    identity: Identity
    axes: int


@dataclass
class CubeReport:
    """What was made.

    Attributes
    ----------
    kind : str
        How channels were found: ``segments``, ``planes`` or ``repeat``.
    channels : tuple of str
        Their names.
    cubes : list of Path
        Files written.
    duplicates : int
        Files that repeat another one's pixels, and were left out.
    incomplete : list of str
        Frames that miss a channel, and were left out.
    """

    kind: str
    channels: tuple[str, ...]
    cubes: list[Path] = field(default_factory=list)
    duplicates: int = 0
    incomplete: list[str] = field(default_factory=list)


def make_cubes(
    sources: Sequence[Path],
    out: Path,
    *,
    channels: Sequence[str] | None = None,
    kind: Kind = "auto",
    pattern: str = PATTERN,
    size: tuple[int, int] | None = None,
) -> CubeReport:
    """Write one cube for each region and time.

    Parameters
    ----------
    sources : sequence of Path
        Files and folders.
    out : Path
        Folder of the cubes, ``REGION.YYYYMMDD_HHMMSS_TAI.fits``.
    channels : sequence of str, optional
        Names: which segments, or how planes and repeated frames are called. Default: Br, Bt, Bp.
    kind : {"auto", "segments", "planes", "repeat"}
        One file a channel (named ``….CHANNEL.fits``), the planes of one file, or one frame three times (as often as
        `channels` has names).
    pattern : str
        Of file names, where headers lack region or time: see :func:`identify`.
    size : (int, int), optional
        (ny, nx) pixels cut from the middle; smaller frames are refused.

    Raises
    ------
    SurrogateError
        CorruptError, FieldError, ShapeError, UnitError, ArgumentError: naming the file and what to do.
    """
    inputs = _inputs(sources, out, pattern)
    found = _kind(inputs, channels) if kind == "auto" else kind
    names = _names(inputs, channels, found)
    report = CubeReport(found, names)
    first: dict[str, tuple[Path, str]] = {}  # channel -> a file and its unit
    with staged(out) as stage:  # an odd file at the end leaves no folder that looks whole
        for frame, files in _frames(inputs, names, found).items():
            images = _images(files, names, found, report, frame)
            if images is None:
                continue
            header, data = _join(images, names, files[0].identity)
            _check_units_alike(images, names, first)
            if size is not None:
                data = _cut(data, header, size, images[0].path)
            name = f"{frame[0]}.{compact_time(frame[1])}.fits"
            write_image(stage / name, data, header)
            report.cubes.append(out / name)
        if not report.cubes:
            raise FieldError(
                f"no frame has all channels {', '.join(names)}: {report.incomplete[0]}; give --channels that are there"
            )
    return report


def _inputs(sources: Sequence[Path], out: Path, pattern: str) -> list[Source]:
    inputs = []
    for path in find_images(list(sources)):
        if path.resolve().is_relative_to(out.resolve()):
            continue  # cubes of an earlier call
        header = read_header(path)
        inputs.append(Source(path, identify(header, path, pattern=pattern), int(header["NAXIS"])))
    if not inputs:
        raise ArgumentError(f"{out}: holds all input files; write the cubes to another folder")
    return inputs


def _kind(inputs: Sequence[Source], channels: Sequence[str] | None) -> Kind:
    """Three axes are planes; names that end in the channels are segments; else each frame is repeated."""
    if any(source.axes == 3 for source in inputs):
        return "planes"
    segments = {source.identity.segment for source in inputs} - {""}
    if segments & set(channels or DEFAULT_CHANNELS):
        several = len(segments) > 1 or len(channels or ()) == 1
        return "segments" if several else "repeat"
    if len(segments) > 1:
        raise FieldError(
            f"{inputs[0].path}: the files are the segments {', '.join(sorted(segments))}, and none is among the "
            f"channels {', '.join(channels or DEFAULT_CHANNELS)}; name those that you want: --channels"
        )
    return "repeat"


def _names(inputs: Sequence[Source], channels: Sequence[str] | None, kind: Kind) -> tuple[str, ...]:
    if channels is None:
        own = inputs[0].identity.segment or "B"
        names = DEFAULT_CHANNELS if kind == "segments" else tuple(f"{own}_{k}" for k in (1, 2, 3))
    else:
        names = tuple(channels)
    if twice := [name for name, n in Counter(names).items() if n > 1 or not name]:
        raise ArgumentError(f"--channels {','.join(names)}: {twice[0]!r} is empty or given twice")
    return names


def _frames(
    inputs: Iterable[Source], names: Sequence[str], kind: Kind
) -> dict[Frame, list[Source]]:
    """Files of each region and time, in the order of both."""
    frames: dict[Frame, list[Source]] = {}
    for source in inputs:
        if kind == "segments" and source.identity.segment not in names:
            continue  # bitmap, conf_disambig, Br_err, …
        frames.setdefault((source.identity.region, source.identity.time), []).append(source)
    return dict(sorted(frames.items()))


def _images(
    files: Sequence[Source], names: Sequence[str], kind: Kind, report: CubeReport, frame: Frame
) -> list[Image] | None:
    """The channels' images, each (ny, nx); None where one is missing."""
    if kind != "segments":
        image = _one([read_image(s.path) for s in files], report)
        return _planes(image, names) if kind == "planes" else _repeated(image, len(names))
    by_name: dict[str, list[Image]] = {name: [] for name in names}
    for source in files:
        by_name[source.identity.segment].append(read_image(source.path))
    if missing := [name for name, images in by_name.items() if not images]:
        report.incomplete.append(
            f"{frame[0]} at {format_time(frame[1])} has no {', '.join(missing)}"
        )
        return None
    return [_one(images, report) for images in by_name.values()]


def _one(images: Sequence[Image], report: CubeReport) -> Image:
    """The only image, or the first of several that are the same."""
    for other in images[1:]:
        if not np.array_equal(images[0].data, other.data, equal_nan=True):
            raise ArgumentError(
                f"{other.path} and {images[0].path} are one region, time and channel, and differ; remove one"
            )
        report.duplicates += 1
    return images[0]


def _planes(image: Image, names: Sequence[str]) -> list[Image]:
    if image.data.ndim != 3 or len(image.data) != len(names):
        raise ShapeError(
            f"{image.path}: shape {image.data.shape}; expected {len(names)} planes (ny, nx), one for each of "
            f"{', '.join(names)}; give as many --channels as it has planes"
        )
    return [Image(image.path, plane, image.header) for plane in image.data]


def _repeated(image: Image, count: int) -> list[Image]:
    if image.data.ndim != 2:
        raise ShapeError(f"{image.path}: shape {image.data.shape}; expected one frame (ny, nx)")
    return [image] * count


def _join(
    images: Sequence[Image], names: Sequence[str], identity: Identity
) -> tuple[Header, Array]:
    """One header and (channels, ny, nx); the images lie on the same pixels."""
    first = images[0]
    for image in images[1:]:
        if image.data.shape != first.data.shape:
            raise ShapeError(
                f"{image.path}: shape {image.data.shape}, but {first.path} has {first.data.shape}; the channels of a "
                "cube have one shape"
            )
        check_same_wcs(first.header, image.header, path=image.path, reference=first.path)
    found = [_unit(image) for image in images]
    check_units(zip((image.path for image in images), found, strict=True))
    header = carried_over(first.header)
    header["REGION"] = (identity.region, "active region")
    header["T_REC"] = (format_time(identity.time), "time, TAI")
    if len(set(found)) == 1:
        header["BUNIT"] = found[0]
    else:
        header.remove("BUNIT", ignore_missing=True)
    describe_channels(header, names, found, [image.path.name for image in images])
    header.add_history(f"surrogate data cube: channels {', '.join(names)}")
    return header, np.stack([image.data for image in images])  # (channels, ny, nx)


def carried_over(header: Header) -> Header:
    """A copy without the keywords that describe one file's stored numbers."""
    kept = [card for card in header.cards if not STRUCTURE.fullmatch(card.keyword)]
    return new_header(kept)


def plain_header(header: Header) -> Header:
    """A cube's header without its third axis and its channels."""
    kept = [c for c in carried_over(header).cards if not _OF_CUBES.fullmatch(c.keyword)]
    return new_header(kept)


def describe_channels(
    header: Header, names: Sequence[str], found: Sequence[str], files: Sequence[str]
) -> None:
    """What the third axis counts; CTYPE3 makes it a linear axis for WCS readers."""
    axis: Mapping[str, str | float] = {
        "CTYPE3": "CHANNEL",
        "CRPIX3": 1.0,
        "CRVAL3": 1.0,
        "CDELT3": 1.0,
    }
    header.update(axis)
    for k, (name, unit, file) in enumerate(zip(names, found, files, strict=True), 1):
        header[f"CHAN{k}"] = (name, f"channel {k}")
        header[f"CHUNIT{k}"] = (unit, "its unit")
        header[f"CHFILE{k}"] = file


def _unit(image: Image) -> str:
    unit = image.header.get("BUNIT")
    if not unit:
        raise UnitError(
            f"{image.path}: no BUNIT, so the unit of its pixels is not known; add the keyword "
            "(astropy.io.fits.setval(file, 'BUNIT', value='Mx/cm^2'))"
        )
    return str(unit)


def _check_units_alike(
    images: Sequence[Image], names: Sequence[str], first: dict[str, tuple[Path, str]]
) -> None:
    """A channel has one unit in all cubes."""
    for name, image in zip(names, images, strict=True):
        unit = _unit(image)
        path0, unit0 = first.setdefault(name, (image.path, unit))
        if not same_unit(unit, unit0):
            raise UnitError(
                f"{image.path}: {name} in {unit}, but in {unit0} in {path0}; one data set has one unit: convert it"
            )


def _cut(data: Array, header: Header, size: tuple[int, int], path: Path) -> Array:
    """The middle (ny, nx) pixels; the header moves along."""
    ny, nx = data.shape[-2:]
    if ny < size[0] or nx < size[1]:
        raise ShapeError(
            f"{path}: {ny} x {nx} pixels, less than --size {size[0]},{size[1]}; choose less, or leave the file out"
        )
    rows, columns = (ny - size[0]) // 2, (nx - size[1]) // 2
    crop(header, rows=rows, columns=columns)
    return data[:, rows : rows + size[0], columns : columns + size[1]]  # (channels, *size)
