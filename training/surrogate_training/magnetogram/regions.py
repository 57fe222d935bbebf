"""Active regions of a list of pairs: one region may come under several names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from surrogate_training.magnetogram.headers import PATTERN, identify
from surrogate_training.magnetogram.images import Header, read_header
from surrogate_training.magnetogram.pairlist import Pair
from surrogate_training.magnetogram.wcs import Extent, carrington_extent


@dataclass(frozen=True)
class Region:
    """One active region under all of its names.

    Attributes
    ----------
    names : tuple of str
        Regions of the list that are one: they share a NOAA number, or overlap on the Sun at a common time.
    extent : Extent, optional
        What its cubes cover; None where their headers do not say.
    cell : float
        Degrees of longitude of a cell, 0 where that is not known.
    """

    names: tuple[str, ...]
    extent: Extent | None
    cell: float


@dataclass(frozen=True)
class _Seen:
    """One name of the list: what its headers say, and from when to when it is seen."""

    aliases: frozenset[str]
    extent: Extent | None
    cell: float
    first: float
    last: float


def find_regions(pairs: Sequence[Pair], *, pattern: str = PATTERN) -> list[Region]:
    """Regions of a list; names that mean the same one are joined."""
    seen = {name: _look(found, pattern) for name, found in _by_name(pairs).items()}
    names = list(seen)
    leader = {name: name for name in names}

    def top(name: str) -> str:
        return name if leader[name] == name else top(leader[name])

    for i, a in enumerate(names):
        for b in names[:i]:
            if _same(seen[a], seen[b]):
                leader[top(a)] = top(b)
    joined: dict[str, list[str]] = {}
    for name in names:
        joined.setdefault(top(name), []).append(name)
    return [
        Region(
            tuple(group),
            _union(seen[n].extent for n in group),
            max(seen[n].cell for n in group),
        )
        for group in joined.values()
    ]


def _by_name(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.region, []).append(pair)
    return found


def _look(pairs: Sequence[Pair], pattern: str) -> _Seen:
    """Headers of all cubes of a name."""
    aliases: frozenset[str] = frozenset({pairs[0].region})
    extents: list[Extent | None] = []
    places, cell = set(), 0.0
    for path in dict.fromkeys(p for pair in pairs for p in (pair.file1, pair.file2)):
        header = read_header(path)
        aliases |= identify(header, path, pattern=pattern).aliases
        shape = int(header["NAXIS2"]), int(header["NAXIS1"])
        place = (*shape, *(header.get(k) for k in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")))
        if place in places:
            continue  # a region that stands still is projected once
        places.add(place)
        extent = _extent(header, shape, path)
        extents.append(extent)
        cell = max(cell, extent.width / shape[1] if extent else 0.0)
    times = [t.timestamp() for pair in pairs for t in (pair.t1, pair.t2)]
    return _Seen(aliases, _union(extents), cell, min(times), max(times))


def _extent(header: Header, shape: tuple[int, int], path: Path) -> Extent | None:
    try:
        return carrington_extent(header, shape, path)
    except KeyError:
        return None  # no Carrington longitude: a split by region does not need it


def _union(extents: Iterable[Extent | None]) -> Extent | None:
    found = list(extents)
    known = [e for e in found if e is not None]
    return reduce(Extent.union, known) if known and len(known) == len(found) else None


def _same(a: _Seen, b: _Seen) -> bool:
    if a.aliases & b.aliases:
        return True
    together = a.first <= b.last and b.first <= a.last
    return bool(together and a.extent and b.extent and a.extent.overlaps(b.extent))
