"""Sectors of longitude: some regions apart from the others, with a buffer between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surrogate.errors import ArgumentError
from surrogate_training.magnetogram.wcs import Extent


@dataclass(frozen=True)
class Sector:
    """What a sector takes.

    Attributes
    ----------
    extent : Extent
        From the west edge of its first region to the east edge of its last.
    inside, dropped, outside : tuple of int
        Numbers of the extents that lie in it, within the buffer around it, and beyond.
    """

    extent: Extent
    inside: tuple[int, ...]
    dropped: tuple[int, ...]
    outside: tuple[int, ...]


def take_sector(extents: Sequence[Extent], *, count: int, buffer: float, first: int = 0) -> Sector:
    """Take about `count` neighbouring regions, and drop those too near to the rest.

    Parameters
    ----------
    extents : sequence of Extent
        Of the regions.
    count : int
        Regions wanted; all of one longitude come together, so there may be a few more or less.
    buffer : float
        Degrees of longitude between the sector and any region outside.
    first : int
        Which region to begin with, counted from west to east.

    Raises
    ------
    ArgumentError
        If nothing is left outside.
    """
    order = sorted(range(len(extents)), key=lambda k: (extents[k].west, extents[k].south))
    order = order[first % len(order) :] + order[: first % len(order)]
    extent = _nearest(extents, order, count)
    inside = _inside(extent, extents)
    rest = [n for n in range(len(extents)) if n not in set(inside)]
    # an extent that crosses the sector's edge has no gap to it
    outside = [
        n
        for n in rest
        if not extent.overlaps(_all_latitudes(extents[n]))
        and extent.gap(extents[n]) >= buffer - 1e-6
    ]
    if not outside:
        raise ArgumentError(
            f"a sector of {extent.width:.1f} degrees with a buffer of {buffer:g} leaves no region outside; choose a "
            "smaller --buffer, another --ratio, or add regions at other longitudes"
        )
    dropped = [n for n in rest if n not in set(outside)]
    return Sector(extent, tuple(inside), tuple(dropped), tuple(outside))


def _nearest(extents: Sequence[Extent], order: Sequence[int], count: int) -> Extent:
    """The sector, grown from west to east, whose number of regions is nearest to `count`."""
    grown = extents[order[0]]
    best, missing = grown, abs(len(_inside(grown, extents)) - count)
    for k in order[1:]:
        grown = grown.union(extents[k])
        found = len(_inside(grown, extents))
        if abs(found - count) < missing:
            best, missing = grown, abs(found - count)
        if found >= count:
            break
    return best


def _inside(extent: Extent, extents: Sequence[Extent]) -> list[int]:
    return [n for n, e in enumerate(extents) if extent.contains(e)]


def _all_latitudes(extent: Extent) -> Extent:
    return Extent(extent.west, extent.width)
