"""The way back: predicted cubes as plain FITS files, one frame or one file a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

import surrogate
from surrogate.errors import ArgumentError, FieldError, ShapeError, UnitError
from surrogate.io.fits import SUFFIXES
from surrogate.io.states import read_state
from surrogate.io.tai import compact_time
from surrogate.io.units import canonical_unit
from surrogate_training.magnetogram.cube import plain_header
from surrogate_training.magnetogram.headers import PATTERN, channels, identify, units
from surrogate_training.magnetogram.images import (
    Array,
    Header,
    find_images,
    read_image,
    write_image,
)
from surrogate_training.magnetogram.masks import blank, data_weight
from surrogate_training.magnetogram.prediction import FROM, Opened, predicted_header

To = Literal["single", "three", "channels"]


@dataclass(frozen=True)
class Channels:
    """Channels of one frame, and the header that they share.

    Attributes
    ----------
    path : Path
        Where they come from.
    data : dict of str to ndarray, float32, shape (ny, nx)
        By name.
    units : dict of str to str
        By name.
    header : astropy.io.fits.Header
        Of the frame's time.
    """

    path: Path
    data: dict[str, Array]
    units: dict[str, str]
    header: Header


def uncube(
    source: Path,
    out: Path,
    *,
    to: To = "single",
    reference: Path | None = None,
    bundle: str | Path | None = None,
    hours: float | None = None,
    scaled: bool = False,
    only: Sequence[str] | None = None,
    pattern: str = PATTERN,
) -> list[Path]:
    """Write predicted cubes as FITS images (ny, nx) in physical units.

    Parameters
    ----------
    source : Path
        A cube, a folder of cubes, or an array ``.npy`` (C, ny, nx), ``.npz`` or ``.h5`` with `reference`.
    out : Path
        Folder of the files, ``REGION.TIME.fits`` or ``REGION.TIME.CHANNEL.fits``.
    to : {"single", "three", "channels"}
        The mean of the channels; three files; a file a channel.
    reference : Path, optional
        The cube at t1: header and mask of an array, and of a cube that has none.
    bundle : path or str, optional
        What predicted it: its time step, the order of its fields, and their scaling.
    hours : float, optional
        Time from the header's T_REC to the frame, where neither bundle nor header says it.
    scaled : bool
        The values are asinh(u / softening), as the manifest of `bundle` says of each field.
    only : sequence of str, optional
        Channels to take.
    pattern : str
        Of file names, where headers lack region or time.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    SurrogateError
        If something is missing or does not fit, naming the file.
    """
    opened = None if bundle is None else Opened.read(bundle, hours=hours)
    step = hours if opened is None else opened.hours
    if scaled and opened is None:
        raise ArgumentError("--scaled needs --bundle: its manifest says how fields are scaled")
    is_array = source.is_file() and not source.name.lower().endswith(SUFFIXES)
    sources = [source] if is_array else find_images([source])
    written = []
    for path in sources:
        frame = (
            _of_array(path, reference, opened, step, pattern)
            if is_array
            else _of_cube(path, reference, opened, step, pattern)
        )
        if scaled and opened is not None:
            frame = _unscaled(frame, opened)
        written += _write(_selected(frame, only), out, to, pattern)
    return written


def _of_cube(
    path: Path, reference: Path | None, opened: Opened | None, hours: float | None, pattern: str
) -> Channels:
    """A cube; its times are moved unless its header says that they are t2's already."""
    image = read_image(path)
    if image.data.ndim != 3:
        raise ShapeError(f"{path}: shape {image.data.shape}; expected a cube (channels, ny, nx)")
    names = channels(image.header, path)
    header, data = image.header, image.data
    if reference is not None:
        data = _masked(data, reference, path)
    if FROM not in header and hours:
        by = "an unnamed program" if opened is None else opened.label
        header = predicted_header(header, path, hours, by=by, pattern=pattern)
    return Channels(
        path,
        dict(zip(names, data, strict=True)),
        dict(zip(names, units(image.header, path), strict=True)),
        header,
    )


def _of_array(
    path: Path, reference: Path | None, opened: Opened | None, hours: float | None, pattern: str
) -> Channels:
    """An array of the solver's kind; everything but the numbers is the reference's."""
    if reference is None or hours is None:
        missing = "--reference CUBE" if reference is None else "--bundle or --hours"
        raise ArgumentError(
            f"{path}: an array has no header; give {missing}: the cube that it was predicted from, and how far ahead"
        )
    image = read_image(reference)
    names = channels(image.header, reference)
    of_reference = dict(zip(names, units(image.header, reference), strict=True))
    data = _named(read_state(path), names, opened, path)
    for name, values in data.items():
        if values.shape != image.data.shape[1:]:
            raise ShapeError(
                f"{path}: {name} has the shape {values.shape}, but {reference} has {image.data.shape[1:]} pixels"
            )
    stacked = _masked(np.stack(list(data.values())), reference, path)  # (C, ny, nx)
    by = "an unnamed program" if opened is None else opened.label
    return Channels(
        path,
        dict(zip(data, stacked, strict=True)),
        {name: of_reference[name] for name in data},
        predicted_header(image.header, reference, hours, by=by, pattern=pattern),
    )


def _named(state: Any, names: Sequence[str], opened: Opened | None, path: Path) -> dict[str, Array]:
    """The predicted channels of a state by the reference's names."""
    if isinstance(state, Mapping):
        given = {str(k): np.asarray(v, np.float32) for k, v in state.items()}
    else:
        array = np.asarray(state, np.float32)
        predicted = [] if opened is None else [f.name for f in opened.manifest.fields]
        if opened is not None and len(array) < len(predicted):
            predicted = [f.name for f in opened.manifest.fields if f.prediction is not None]
        labels = predicted or list(names)
        if array.ndim != 3 or len(array) != len(labels):
            raise ShapeError(
                f"{path}: shape {array.shape}; expected (channels, ny, nx) of {len(labels)}: {', '.join(labels)}"
            )
        given = dict(zip(labels, array, strict=True))
    if opened is None:
        if unknown := [name for name in given if name not in names]:
            raise FieldError(
                f"{path}: {unknown[0]!r} is no channel of the reference ({', '.join(names)}); give --bundle"
            )
        return given
    kept = [f.name for f in opened.manifest.fields if f.prediction is not None and f.name in given]
    return {opened.channel(name, names): given[name] for name in kept}


def _masked(data: Array, reference: Path, path: Path) -> Array:
    """NaN where the frame at t1 has none."""
    image = read_image(reference)
    if image.data.shape[-2:] != data.shape[-2:]:
        raise ShapeError(
            f"{path}: {data.shape[-2:]} pixels, but {reference} has {image.data.shape[-2:]}"
        )
    return blank(data, data_weight(image.data))


def _unscaled(frame: Channels, opened: Opened) -> Channels:
    """Undo the scaling, u = softening sinh(s) for fields that the manifest scales by asinh."""
    data = dict(frame.data)
    for spec in opened.manifest.fields:
        softening = opened.softening(spec.name)
        if spec.prediction is None or softening is None:
            continue
        name = opened.channel(spec.name, list(data))
        data[name] = (softening * np.sinh(data[name])).astype(np.float32)
    return Channels(frame.path, data, frame.units, frame.header)


def _selected(frame: Channels, only: Sequence[str] | None) -> Channels:
    if only is None:
        return frame
    if unknown := [name for name in only if name not in frame.data]:
        raise FieldError(
            f"{frame.path} has no channel {unknown[0]!r}; it has {', '.join(frame.data)}"
        )
    return Channels(frame.path, {n: frame.data[n] for n in only}, frame.units, frame.header)


def _write(frame: Channels, out: Path, to: To, pattern: str) -> list[Path]:
    """The files of one frame."""
    identity = identify(frame.header, frame.path, pattern=pattern)
    stem = f"{identity.region}.{compact_time(identity.time)}"
    header = plain_header(frame.header)
    header.add_history(
        f"surrogate {surrogate.__version__} data uncube --to {to}: {frame.path.name}"
    )
    if to == "single":
        found = sorted({canonical_unit(frame.units[name]) for name in frame.data})
        if len(found) > 1:
            raise UnitError(
                f"{frame.path}: the mean of channels in {', '.join(found)} means nothing; choose some with "
                "--channels, or write all: --to channels"
            )
        mean = np.mean(
            list(frame.data.values()), axis=0, dtype=np.float64
        )  # (ny, nx); NaN if any is
        header.add_history(f"mean of {', '.join(frame.data)}")
        return [_one(out / f"{stem}.fits", mean, header, frame.units[next(iter(frame.data))])]
    if to == "three" and len(frame.data) != 3:
        raise ArgumentError(
            f"{frame.path}: {len(frame.data)} channels ({', '.join(frame.data)}); --to three needs three: choose them "
            "with --channels, or --to channels"
        )
    return [
        _one(out / f"{stem}.{name}.fits", values, header, frame.units[name])
        for name, values in frame.data.items()
    ]


def _one(path: Path, values: Any, header: Header, unit: str) -> Path:
    own = header.copy()
    own["BUNIT"] = unit
    write_image(path, np.asarray(values, np.float32), own)
    return path
