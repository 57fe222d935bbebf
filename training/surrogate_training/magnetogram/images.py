"""FITS images in and out: scaled, blank and compressed integers read as float32; files written whole or not at all."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import CorruptError, NotFoundError
from surrogate.io.fits import SUFFIXES
from surrogate.io.optional import need
from surrogate.whole import written_whole

Array = NDArray[np.float32]
Header = Any  # astropy.io.fits.Header: optional, and without types
STAGE = ".partial-"
"""What the name of a folder begins with whose files are not all there yet."""

_BLANK = -(2**31)  # what JSOC's int32 segments hold where there is no data


@dataclass(frozen=True)
class Image:
    """An image and its header.

    Attributes
    ----------
    path : Path
        The file.
    data : ndarray, float32, shape (ny, nx) or (channels, ny, nx)
        Physical values: BSCALE and BZERO applied, BLANK as NaN, native byte order.
    header : astropy.io.fits.Header
        Of the image; keywords that only the primary header has are in it too.
    """

    path: Path
    data: Array
    header: Header


def find_images(sources: list[Path]) -> list[Path]:
    """FITS files of folders (searched to the bottom) and single files, in order of their names.

    Raises
    ------
    NotFoundError
        If a source does not exist, or there is no FITS file.
    """
    found: set[Path] = set()
    for source in sources:
        if not source.exists():
            raise NotFoundError(f"{source}: no such file or folder")
        inside = source.rglob("*") if source.is_dir() else [source]
        found |= {
            p
            for p in inside
            if p.name.lower().endswith(SUFFIXES)
            and not p.parent.name.startswith(STAGE)
            and p.is_file()
        }
    if not found:
        raise NotFoundError(
            f"{', '.join(map(str, sources))}: no FITS file ({', '.join(SUFFIXES)}); give the folder that holds them"
        )
    return sorted(found)


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write files in, which all move to `out` if that goes well; else none of them is kept."""
    new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(prefix=STAGE, dir=out) as folder:
            yield Path(folder)
            for path in sorted(Path(folder).iterdir()):
                path.replace(out / path.name)
    except BaseException:
        if new and not any(out.iterdir()):
            out.rmdir()
        raise


def read_image(path: Path) -> Image:
    """Read the first image of a file, be it the primary one or, as in JSOC's compressed files, in an extension.

    Raises
    ------
    NotFoundError
        If there is no such file.
    CorruptError
        If it is no FITS file, is cut short, or holds no image.
    """
    with _opened(path) as unit:
        values = np.asarray(unit.data)
        if values.ndim not in (2, 3):
            raise CorruptError(
                f"{path}: an image of {values.ndim} axes; expected (ny, nx) or (channels, ny, nx)"
            )
        return Image(path, np.ascontiguousarray(values, np.float32), unit.header.copy())


def read_header(path: Path) -> Header:
    """The header of :func:`read_image`; the pixels stay on the disk."""
    with _opened(path) as unit:
        return unit.header.copy()


def write_image(
    path: Path,
    data: Array,
    header: Header,
    *,
    stored: Literal["float32", "int32"] = "float32",
    scale: float = 0.01,
) -> None:
    """Write one image; the file gets its name when it is complete.

    Parameters
    ----------
    path : Path
        File to write or replace.
    data : ndarray, float32, shape (ny, nx) or (channels, ny, nx)
        Physical values, NaN where there are none.
    header : astropy.io.fits.Header
        Keywords; those that describe the stored numbers are replaced.
    stored : {"float32", "int32"}
        ``int32`` as JSOC stores segments: BSCALE `scale`, BLANK, compressed by RICE in the first extension.
    scale : float
        Step of the stored integers.
    """
    fits = _fits(f"{path}: writing FITS")
    path.parent.mkdir(parents=True, exist_ok=True)
    if stored == "int32":
        numbers = np.where(np.isnan(data), _BLANK, np.rint(np.nan_to_num(data) / scale))
        # the scale is named after the integers are in place: astropy would divide by it
        image = fits.CompImageHDU(
            numbers.astype(np.int32), header.copy(), compression_type="RICE_1"
        )
        image.header.update({"BSCALE": scale, "BZERO": 0.0, "BLANK": _BLANK})
        content = fits.HDUList([fits.PrimaryHDU(), image])
    else:
        content = fits.HDUList([fits.PrimaryHDU(np.asarray(data, np.float32), header)])
    with written_whole(path) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # long comments of JSOC's headers are cut
        content.writeto(partial, overwrite=True, output_verify="silentfix")


def new_header(cards: Iterable[Any]) -> Header:
    """A header of cards, or of (keyword, value, comment)."""
    return _fits("a FITS header").Header(list(cards))


def _fits(what: str) -> Any:
    return need("astropy.io.fits", extra="fits", what=what)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The unit of a file that holds its image; astropy's complaints of damage as errors."""
    fits = _fits(f"{path}: FITS")
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unusual keywords are JSOC's habit
            warnings.filterwarnings("error", message=".*truncated.*")
            # a file of ours to close: astropy leaves damaged ones open
            with (
                path.open("rb") as file,
                fits.open(file, memmap=False, lazy_load_hdus=False) as units,
            ):
                unit = next(
                    (u for u in units if u.header.get("NAXIS", 0) >= 2 and u.is_image), None
                )
                if unit is None:
                    raise CorruptError(
                        f"{path}: holds no image (ny, nx) and no cube; fetch it again if it was cut short"
                    )
                for card in units[0].header.cards if unit is not units[0] else ():
                    if card.keyword and card.keyword not in unit.header:
                        unit.header.append(card)
                yield unit
    except (OSError, ValueError, TypeError, KeyError, IndexError, Warning) as error:
        if isinstance(error, CorruptError):
            raise
        raise CorruptError(
            f"{path}: cannot be read as FITS ({error}); fetch or write it again"
        ) from error
