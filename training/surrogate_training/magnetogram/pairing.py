"""Pairs of cubes, one time step apart, of the same active region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from surrogate.errors import ArgumentError, CorruptError, ShapeError, UnitError
from surrogate.io.tai import format_time
from surrogate.io.units import canonical_unit
from surrogate_training.magnetogram.headers import PATTERN, Identity, channels, identify, units
from surrogate_training.magnetogram.images import find_images, read_header, read_image
from surrogate_training.magnetogram.pairlist import Pair


@dataclass(frozen=True)
class Cube:
    """What the header of a cube says.

    Attributes
    ----------
    shape : (int, int)
        (ny, nx).
    layout : tuple of (str, str)
        Name and unit of every channel, the unit in one spelling.
    """

    path: Path
    identity: Identity
    shape: tuple[int, int]
    layout: tuple[tuple[str, str], ...]


@dataclass
class PairReport:
    """What was paired.

    Attributes
    ----------
    pairs : list of Pair
        In the order of regions and times.
    hours, tolerance : float
        The step, and the share of it that a pair may deviate by.
    cubes : int
        Files read, duplicates among them.
    regions : int
        Regions with at least one pair.
    duplicates : int
        Cubes that repeat region, time and pixels of another, and were left out.
    gaps : list of str
        Where a region goes on, but has no cube one step after this one.
    """

    pairs: list[Pair]
    hours: float
    tolerance: float
    cubes: int
    regions: int
    duplicates: int
    gaps: list[str] = field(default_factory=list)


def pair_cubes(
    sources: Sequence[Path],
    *,
    hours: float | None = None,
    tolerance: float = 0.1,
    pattern: str = PATTERN,
) -> PairReport:
    """Pair each cube with that of its region whose time is nearest to one step later.

    A pair needs ``|t2 - t1 - hours| <= tolerance * hours``. The last cube of a region has no partner and is no gap.

    Parameters
    ----------
    sources : sequence of Path
        Cubes, or folders of them.
    hours : float, optional
        The step; default: the most frequent distance of neighbouring cubes.
    tolerance : float
        Share of the step, below 0.5.
    pattern : str
        Of file names, where headers lack region or time.

    Raises
    ------
    ArgumentError
        If options are out of range, no pair is found, or two different cubes have one region and time.
    ShapeError, UnitError
        If cubes differ in shape, channels or units.
    """
    if not 0 <= tolerance < 0.5:
        raise ArgumentError(f"--tolerance {tolerance:g}: expected a share of the step, 0 to 0.5")
    if hours is not None and not hours > 0:
        raise ArgumentError(f"--hours {hours:g}: expected more than 0")
    cubes = [read_cube(path, pattern=pattern) for path in find_images(list(sources))]
    check_alike(cubes)
    regions, duplicates = _by_region(cubes)
    step = hours if hours is not None else _usual_step(regions)
    pairs: list[Pair] = []
    gaps: list[str] = []
    for cubes_of_region in regions.values():
        _pair_region(cubes_of_region, step, tolerance, pairs, gaps)
    if not pairs:
        raise ArgumentError(
            f"{', '.join(map(str, sources))}: no two cubes of a region are {step:g} h apart (within "
            f"{100 * tolerance:g} %); {_distances(regions)}: choose --hours or a larger --tolerance"
        )
    used = len({pair.region for pair in pairs})
    return PairReport(pairs, step, tolerance, len(cubes), used, duplicates, gaps)


def read_cube(path: Path, *, pattern: str = PATTERN) -> Cube:
    """Read what a cube's header says."""
    header = read_header(path)
    names = channels(header, path)
    axes = tuple(int(header.get(f"NAXIS{k}", 0)) for k in (1, 2, 3))
    if axes[2] != len(names):
        raise CorruptError(
            f"{path}: {axes[2]} planes, but {len(names)} names CHANn; make it again with `surrogate data cube`"
        )
    layout = tuple(zip(names, map(canonical_unit, units(header, path)), strict=True))
    return Cube(path, identify(header, path, pattern=pattern), (axes[1], axes[0]), layout)


def check_alike(cubes: Sequence[Cube]) -> None:
    """Refuse a data set of several shapes, channels or units.

    Raises
    ------
    ShapeError, UnitError
        Naming the first file that differs from most.
    """
    shape = Counter(cube.shape for cube in cubes).most_common(1)[0][0]
    layout = Counter(cube.layout for cube in cubes).most_common(1)[0][0]
    for cube in cubes:
        if cube.shape != shape:
            raise ShapeError(
                f"{cube.path}: {cube.shape[0]} x {cube.shape[1]} pixels, but most cubes have {shape[0]} x {shape[1]}; "
                "cut all alike: surrogate data cube --size NY,NX"
            )
        if cube.layout != layout:
            has, most = (", ".join(f"{n} [{u}]" for n, u in c) for c in (cube.layout, layout))
            raise UnitError(
                f"{cube.path}: channels {has}, but most cubes have {most}; make them again alike"
            )


def _by_region(cubes: Sequence[Cube]) -> tuple[dict[str, list[Cube]], int]:
    """Cubes of each region in the order of time, each time once."""
    regions: dict[str, list[Cube]] = {}
    duplicates = 0
    for cube in sorted(cubes, key=lambda c: (c.identity.region, c.identity.time, c.path)):
        found = regions.setdefault(cube.identity.region, [])
        if found and found[-1].identity.time == cube.identity.time:
            _check_same_pixels(found[-1], cube)
            duplicates += 1
        else:
            found.append(cube)
    return regions, duplicates


def _check_same_pixels(a: Cube, b: Cube) -> None:
    if not np.array_equal(read_image(a.path).data, read_image(b.path).data, equal_nan=True):
        raise ArgumentError(
            f"{b.path} and {a.path} are both {a.identity.region} at {format_time(a.identity.time)}, and differ; "
            "remove the wrong one"
        )


def _pair_region(
    cubes: Sequence[Cube], hours: float, tolerance: float, pairs: list[Pair], gaps: list[str]
) -> None:
    step = timedelta(hours=hours)
    times = [cube.identity.time for cube in cubes]
    for first in cubes[:-1]:
        target = first.identity.time + step
        nearest = min(range(len(times)), key=lambda k: abs(times[k] - target))
        if abs(times[nearest] - target) <= step * tolerance + timedelta(microseconds=1):
            other = cubes[nearest]
            pairs.append(
                Pair(
                    first.identity.region,
                    first.identity.time,
                    other.identity.time,
                    first.path,
                    other.path,
                )
            )
        elif times[-1] >= target:
            gaps.append(f"{first.identity.region} after {format_time(first.identity.time)}")


def _usual_step(regions: dict[str, list[Cube]]) -> float:
    steps = Counter(_steps(regions))
    if not steps:
        raise ArgumentError(
            "no region has two cubes, so there is nothing to pair; give the folder of all cubes"
        )
    return steps.most_common(1)[0][0]


def _steps(regions: dict[str, list[Cube]]) -> list[float]:
    """Hours between neighbouring cubes."""
    return [
        round((b.identity.time - a.identity.time).total_seconds() / 3600, 6)
        for cubes in regions.values()
        for a, b in pairwise(cubes)
    ]


def _distances(regions: dict[str, list[Cube]]) -> str:
    steps = sorted(set(_steps(regions)))
    if not steps:
        return "no region has two cubes"
    return f"neighbouring cubes are {steps[0]:g} to {steps[-1]:g} h apart"
