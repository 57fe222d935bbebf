"""Frames in FITS: one image, an image an extension, or a cube of channels (``CHANn`` names them).

Scaling (BSCALE, BZERO) is applied, BLANK becomes NaN, and tile-compressed images are read as any other.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import (
    ArgumentError,
    CorruptError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
)
from surrogate.io import tai
from surrogate.io.arrays import COMPONENT, TIME, Array, ArrayFrames, Source, native, reading
from surrogate.io.optional import need

SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fits.fz")
_AXES = ("y", "x")
_TIME_AXES = ("TIME", "TAI", "UTC", "TT")
# where a time stands, and what it is in if TIMESYS does not say
_TIMES = {"T_REC": "TAI", "T_OBS": "TAI", "DATE-OBS": "UTC", "DATE_OBS": "UTC"}
# keywords that describe the file, not the run
_STRUCTURE = frozenset({"SIMPLE", "BITPIX", "EXTEND", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "BLANK"})  # fmt: skip


def open_fits(path: str | os.PathLike[str]) -> ArrayFrames:
    """Open a FITS file of one frame, or of a cube whose third axis is time.

    Fields are called by CHANn (a cube's channels; ``cube[k]`` is the channel k of any cube), else by EXTNAME, else
    ``image``; units are CHUNITn, else BUNIT. The time is T_REC, else T_OBS or DATE-OBS, in hours since 1970-01-01 TAI;
    numeric keywords are scalar parameters.

    Raises
    ------
    NotFoundError
        If there is no such file.
    CorruptError
        If it is no FITS file, is truncated, or has no image.
    ShapeError
        If its images differ in shape.
    UnsupportedError
        If astropy is missing, or an image has more than three axes.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    fits = need("astropy.io.fits", extra="fits", what=f"{path}: FITS")
    with reading(path), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*truncated.*"
        )  # an error below, which says where
        file = fits.open(path, mode="readonly", memmap=False, do_not_scale_image_data=True)
    try:
        images = list(_images(path, file))
        return _frames(path, images, file[0].header, file.close)
    except BaseException:
        file.close()
        raise


class Image:
    """One image of a FITS file, read in parts: an array-like of scaled values in native byte order."""

    def __init__(self, hdu: Any) -> None:
        self._hdu = hdu
        self.header = hdu.header
        self.shape = tuple(int(n) for n in hdu.shape)
        bits = int(self.header["BITPIX"])
        self._scale = float(self.header.get("BSCALE", 1))
        self._zero = float(self.header.get("BZERO", 0))
        blank = self.header.get("BLANK", self.header.get("ZBLANK")) if bits > 0 else None
        self._blank = None if blank is None else int(blank)
        kind = "u1" if bits == 8 else f"{'i' if bits > 0 else 'f'}{abs(bits) // 8}"
        self._raw = np.dtype(kind)
        self._scaled = (self._scale, self._zero) != (1, 0)
        self.dtype = self._type(bits)

    def __getitem__(self, key: Any) -> Array:
        raw = native(np.asarray(self._hdu.section[key]))
        if self.dtype == self._raw:
            return raw.astype(self._raw, copy=False)
        if self.dtype.kind in "ui":  # whole numbers of the other sign are stored with an offset
            return (raw.astype(np.int64) + int(self._zero)).astype(self.dtype)
        values = raw.astype(self.dtype)
        if self._scaled:
            values = values * self.dtype.type(self._scale) + self.dtype.type(self._zero)
        if self._blank is not None:
            values[raw == self._blank] = np.nan
        return values

    def _type(self, bits: int) -> np.dtype[Any]:
        offset = -128 if bits == 8 else 2.0 ** (bits - 1)
        if self._raw.kind == "f" or (not self._scaled and self._blank is None):
            return self._raw
        if (self._scale, self._zero, self._blank) == (1, offset, None) and bits < 64:
            return np.dtype(f"{'i' if bits == 8 else 'u'}{bits // 8}")
        return np.dtype(np.float32 if bits <= 16 else np.float64)


def _images(path: Path, file: Any) -> Iterator[tuple[str, Image]]:
    """The file's images and their names; each header is checked against the file's length before the next is read."""
    length = path.stat().st_size if path.suffix != ".gz" else None
    count = 0
    while True:
        try:
            with reading(path):
                hdu = file[count]
        except CorruptError as error:
            if isinstance(error.__cause__, IndexError):
                return
            raise
        count += 1
        where = hdu.fileinfo()
        end = where["datLoc"] + where["datSpan"]
        if length is not None and end > length:
            raise CorruptError(
                f"{path}: truncated: {length} bytes, but extension {count - 1} ends at {end}; copy it again"
            )
        if not hdu.is_image or not hdu.shape:
            continue
        name = str(hdu.header.get("EXTNAME", "")).strip()
        yield ("" if name == "COMPRESSED_IMAGE" else name), Image(hdu)


def _frames(path: Path, images: list[tuple[str, Image]], primary: Any, close: Any) -> ArrayFrames:
    if not images:
        raise CorruptError(f"{path} holds no image: expected an image of 2 axes, or a cube of 3")
    sources: dict[str, Source] = {}
    aliases: dict[str, Source] = {}
    times: Array | None = None
    for number, (name, image) in enumerate(images):
        header = image.header
        fallback = name or ("image" if len(images) == 1 else f"image{number}")
        if len(image.shape) == 2:
            fallback = name or str(header.get("CHAN1", fallback))
            found = {fallback: Source(image, _AXES, _unit(header, 1))}
        elif len(image.shape) == 3 and str(header.get("CTYPE3", "")).strip() in _TIME_AXES:
            found = {fallback: Source(image, (TIME, *_AXES), _unit(header, 1))}
            times = _axis(header, 3, image.shape[0])
        elif len(image.shape) == 3:
            found, cube = _channels(header, image, "cube" if fallback == "image" else fallback)
            aliases |= {"cube": cube}
        else:
            raise UnsupportedError(
                f"{path}: extension {fallback} has {len(image.shape)} axes; expected 2 (y, x), or 3 (channel, y, x)"
            )
        if twice := set(found) & set(sources):
            raise CorruptError(f"{path} has two images called {min(twice)!r}: name them apart")
        sources |= found
    _check_shapes(path, images)
    headers = [*(image.header for _, image in images), primary]
    return ArrayFrames(
        path,
        sources,
        aliases=aliases,
        times=_time(path, headers) if times is None else times,
        time_unit="h" if times is None else str(headers[0].get("CUNIT3", "1")),
        coordinates=_coordinates(images[0][1]),
        scalars=_scalars(headers),
        close=close,
    )


def _channels(header: Any, image: Image, name: str) -> tuple[dict[str, Source], Source]:
    """A cube's channels by name, and the cube; without CHANn one field of several components."""
    axes = (COMPONENT, *_AXES)
    count = image.shape[0]
    names = [str(header.get(f"CHAN{k + 1}", "")).strip() for k in range(count)]
    cube = Source(image, axes, _unit(header, 1))
    if not all(names):
        return {name: cube}, cube
    return {
        channel: Source(image, axes, _unit(header, k + 1)).at(k) for k, channel in enumerate(names)
    }, cube


def _unit(header: Any, channel: int) -> str:
    return str(header.get(f"CHUNIT{channel}", header.get("BUNIT", "1"))).strip() or "1"


def _check_shapes(path: Path, images: list[tuple[str, Image]]) -> None:
    shapes: dict[tuple[int, ...], str] = {}
    for number, (name, image) in enumerate(images):
        shapes.setdefault(image.shape[-2:], name or f"image {number}")
    if len(shapes) > 1:
        (a, first), (b, other) = list(shapes.items())[:2]
        raise ShapeError(
            f"{path}: {first} has {a} pixels, but {other} has {b}: fields of one file share a grid; "
            "write them to files of their own"
        )


def _time(path: Path, headers: list[Any]) -> Array:
    """Time of the one frame, hours since 1970-01-01 TAI; 0 if no header says."""
    for header in headers:
        for key, usual in _TIMES.items():
            text = str(header.get(key, "")).strip()
            if text and (key.startswith("DATE") or text.endswith("_TAI")):
                scale = str(header.get("TIMESYS", usual)).strip().upper()
                try:
                    return np.array([tai.hours(tai.parse_time(text, scale=scale))])
                except ArgumentError as error:
                    raise CorruptError(f"{path}: {key}: {error}; correct the header") from error
    return np.zeros(1)


def _axis(header: Any, axis: int, length: int) -> Array:
    """Linear world coordinates of an axis (FITS standard 4.0, section 8: pixels count from 1)."""
    start, step = float(header.get(f"CRVAL{axis}", 0)), float(header.get(f"CDELT{axis}", 1))
    return start + step * (np.arange(length) + 1 - float(header.get(f"CRPIX{axis}", 1)))


def _coordinates(image: Image) -> Mapping[str, Array]:
    ny, nx = image.shape[-2:]
    return {"x": _axis(image.header, 1, nx), "y": _axis(image.header, 2, ny)}


def _scalars(headers: list[Any]) -> dict[str, float]:
    """Numeric keywords, the first header's before the others'."""
    return {
        key: float(value)
        for header in reversed(headers)
        for key, value in header.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and key not in _STRUCTURE
        and not key.startswith(("NAXIS", "Z"))
    }
