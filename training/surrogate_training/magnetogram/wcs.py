"""Where a magnetogram lies on the Sun: its world coordinates compared, cropped, and as an extent in longitude."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surrogate.errors import FieldError, ShapeError
from surrogate.io.units import canonical_unit
from surrogate_training.magnetogram.images import Header, new_header

_TEXTS = ("CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2")
_NUMBERS = (
    "CRPIX1",
    "CRPIX2",
    "CRVAL1",
    "CRVAL2",
    "CDELT1",
    "CDELT2",
    "CROTA2",
    "PC1_1",
    "PC1_2",
    "PC2_1",
    "PC2_2",
)


@dataclass(frozen=True)
class Extent:
    """Longitudes of a region, degrees east to west of each other on the circle.

    Attributes
    ----------
    west : float
        Where it begins, Carrington degrees in [0, 360); longitudes grow from here.
    width : float
        Degrees that it goes on for, in (0, 360].
    south, north : float
        Latitudes, degrees.
    """

    west: float
    width: float
    south: float = -90.0
    north: float = 90.0

    @property
    def centre(self) -> float:
        """Longitude of the middle, degrees in [0, 360)."""
        return (self.west + self.width / 2) % 360

    def gap(self, other: Extent) -> float:
        """Degrees of longitude between two extents; 0 where they touch or overlap."""
        ahead = (other.west - self.west) % 360 - self.width
        behind = (self.west - other.west) % 360 - other.width
        return max(0.0, min(ahead, behind)) if ahead > 0 and behind > 0 else 0.0

    def overlaps(self, other: Extent) -> bool:
        """Whether both hold a common piece of the surface; touching edges are none."""
        slack = 1e-6
        if min(self.north, other.north) - max(self.south, other.south) <= slack:
            return False
        inside = (other.west - self.west) % 360 < self.width - slack
        return inside or (self.west - other.west) % 360 < other.width - slack

    def contains(self, other: Extent) -> bool:
        """Whether all longitudes of the other are among these."""
        start = (other.west - self.west + 1e-6) % 360
        return start + other.width <= self.width + 2e-6

    def union(self, other: Extent) -> Extent:
        """The smallest extent that holds both."""
        spans = [
            Extent(a.west, max(a.width, (b.west - a.west) % 360 + b.width))
            for a, b in ((self, other), (other, self))
        ]
        least = min(spans, key=lambda e: e.width)
        south, north = min(self.south, other.south), max(self.north, other.north)
        return Extent(least.west, min(least.width, 360.0), south, north)


def check_same_wcs(first: Header, other: Header, *, path: Path, reference: Path) -> None:
    """Refuse two segments that do not lie on the same pixels of the Sun.

    Raises
    ------
    ShapeError
        Naming the keyword and both files.
    """
    for key in _TEXTS + _NUMBERS:
        a, b = first.get(key), other.get(key)
        both = isinstance(a, int | float) and isinstance(b, int | float)
        same = math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) if both else a == b
        if not same:
            raise ShapeError(
                f"{path}: {key} = {b!r}, but {reference} has {a!r}; the channels of a cube lie on the same pixels: "
                "export both from one series"
            )


def crop(header: Header, *, rows: int, columns: int) -> None:
    """Move the reference pixel of a header whose image lost so many first rows and columns."""
    for key, lost in (("CRPIX1", columns), ("CRPIX2", rows)):
        if key in header:
            header[key] = header[key] - lost


def carrington_extent(header: Header, shape: tuple[int, int], path: Path) -> Extent:
    """Longitudes and latitudes that an image covers, from its WCS.

    Parameters
    ----------
    header : astropy.io.fits.Header
        CTYPE1 = ``CRLN-…``; else LON_MIN, LON_MAX (from the central meridian) with CRLN_OBS.
    shape : (int, int)
        (ny, nx) pixels.
    path : Path
        For messages.

    Raises
    ------
    FieldError
        If the header tells neither.
    """
    if str(header.get("CTYPE1", "")).startswith("CRLN") and "CRVAL1" in header:
        return _extent_of_edges(header, shape)
    keys = ("LON_MIN", "LON_MAX", "CRLN_OBS")
    if all(isinstance(header.get(key), int | float) for key in keys):
        west, east, observer = (float(header[key]) for key in keys)
        latitudes = [header.get("LAT_MIN", -90.0), header.get("LAT_MAX", 90.0)]
        return Extent(
            (west + observer) % 360, east - west, float(latitudes[0]), float(latitudes[1])
        )
    raise FieldError(
        f"{path}: no Carrington longitude: expected CTYPE1 = 'CRLN-CEA' or 'CRLN-CAR' with CRVAL1, CRPIX1, CDELT1, or "
        "LON_MIN, LON_MAX and CRLN_OBS; use files of the CEA series, or split --by region"
    )


def _extent_of_edges(header: Header, shape: tuple[int, int]) -> Extent:
    """Project the pixels' outer edges; a cylindrical map far from its equator is wider than its numbers of pixels."""
    from astropy.wcs import WCS

    ny, nx = shape
    known = {key: header[key] for key in _TEXTS + _NUMBERS if key in header}
    # wcslib refuses "degree", which JSOC writes
    known |= {key: canonical_unit(str(known[key])) for key in ("CUNIT1", "CUNIT2") if key in known}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old ways to write a rotation
        system = WCS(new_header(known.items()), naxis=2)
        across, up = np.linspace(-0.5, nx - 0.5, 33), np.linspace(-0.5, ny - 0.5, 33)
        x = np.concatenate([across, across, np.full(33, -0.5), np.full(33, nx - 0.5)])
        y = np.concatenate([np.full(33, -0.5), np.full(33, ny - 0.5), up, up])
        longitude, latitude = system.all_pix2world(x, y, 0)
        middle = float(system.all_pix2world((nx - 1) / 2, (ny - 1) / 2, 0)[0])
    away = (longitude - middle + 180) % 360 - 180  # degrees from the middle, no jump at 0 = 360
    # a map of the whole circle has its two edges at ±180, which are one longitude
    west = middle + float(np.nanmin(away))
    width = float(np.nanmax(away) - np.nanmin(away))
    return Extent(west % 360, width, float(np.nanmin(latitude)), float(np.nanmax(latitude)))
