"""Train, validation and test: whole active regions apart, by number or by sectors of longitude."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from surrogate.errors import ArgumentError
from surrogate.whole import write_json
from surrogate_training.data.split import PARTS, LeakageError, state_hash
from surrogate_training.magnetogram.headers import PATTERN
from surrogate_training.magnetogram.images import read_image
from surrogate_training.magnetogram.pairlist import NAME, Pair, read_pairs, write_pairs
from surrogate_training.magnetogram.regions import Region, find_regions
from surrogate_training.magnetogram.sectors import take_sector
from surrogate_training.magnetogram.wcs import Extent

By = Literal["region", "longitude"]


@dataclass
class SplitReport:
    """What went where.

    Attributes
    ----------
    parts : dict of str to list of str
        Names of the regions in each part; ``dropped``: in a buffer.
    pairs : dict of str to int
        Pairs of each part.
    linked : list of list of str
        Regions of several names.
    sectors : dict of str to (float, float)
        West and east longitude of each sector, degrees; the east may exceed 360.
    buffer : float
        Degrees.
    by : str
        ``region`` or ``longitude``.
    seed : int
        Of the drawing.
    """

    by: str
    seed: int
    buffer: float
    parts: dict[str, list[str]] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    linked: list[list[str]] = field(default_factory=list)
    sectors: dict[str, tuple[float, float]] = field(default_factory=dict)


def split_pairs(
    source: Path,
    out: Path,
    *,
    ratio: float = 0.8,
    validation: float = 0.0,
    by: By = "region",
    buffer: float = 0.0,
    buffer_cells: int = 0,
    seed: int = 0,
    pattern: str = PATTERN,
) -> SplitReport:
    """Write ``OUT/train/pairs.csv``, ``OUT/test/pairs.csv``, … and ``OUT/split.json``.

    Parameters
    ----------
    source : Path
        A ``pairs.csv``, or its folder.
    out : Path
        Folder of the parts.
    ratio : float
        Share of the regions that are not for the test.
    validation : float
        Share of the regions for validation; they are taken from those.
    by : {"region", "longitude"}
        Draw regions, or cut sectors of Carrington longitude.
    buffer : float
        Degrees of longitude between sectors; regions in it are left out.
    buffer_cells : int
        The same in cells, of the regions' widest; the larger of both counts.
    seed : int
        Which regions are drawn, or where the test's sector begins.
    pattern : str
        Of file names, where headers lack region or time.

    Raises
    ------
    ArgumentError
        If options are out of range or a part would be empty.
    LeakageError
        If two parts share a frame.
    """
    _check_options(ratio, validation, by, (buffer, buffer_cells))
    pairs = read_pairs(source)
    regions = find_regions(pairs, pattern=pattern)
    buffer = max(buffer, buffer_cells * max(region.cell for region in regions))
    report = SplitReport(by, seed, buffer)
    report.linked = [list(region.names) for region in regions if len(region.names) > 1]
    counts = _counts(len(regions), ratio, validation)
    drawn = by == "region"
    parts = _draw(regions, counts, seed) if drawn else _cut(regions, counts, buffer, seed, report)
    report.parts = {part: sorted(n for r in rs for n in r.names) for part, rs in parts.items()}
    lists = {
        part: [pair for pair in pairs if pair.region in set(report.parts[part])]
        for part in PARTS
        if part in parts
    }
    check_no_shared_frame(lists)
    report.pairs = {part: len(found) for part, found in lists.items()}
    for part, found in lists.items():
        write_pairs(out / part / NAME, found)
    write_json(out / "split.json", asdict(report))
    return report


def check_no_shared_frame(parts: Mapping[str, Sequence[Pair]]) -> None:
    """Refuse parts that share the pixels of a frame.

    Raises
    ------
    LeakageError
        Naming both files.
    """
    seen: dict[str, tuple[str, Path]] = {}
    for part, pairs in parts.items():
        for path in dict.fromkeys(p for pair in pairs for p in (pair.file1, pair.file2)):
            u = read_image(path).data
            known = u[np.isfinite(u)]
            if len(known) == 0 or known.min() == known.max():
                continue  # nothing in it tells one region from another
            other, where = seen.setdefault(state_hash(u), (part, path))
            if other != part:
                raise LeakageError(
                    f"{path} ({part}) holds the same pixels as {where} ({other}): one region under two names; "
                    "give both the same HARPNUM or NOAA_AR, or remove one"
                )


def _check_options(ratio: float, validation: float, by: By, buffers: tuple[float, float]) -> None:
    if not 0 < ratio < 1:
        raise ArgumentError(f"--ratio {ratio:g}: expected a share between 0 and 1, as 0.8")
    if not 0 <= validation < ratio:
        raise ArgumentError(
            f"--validation {validation:g}: expected a share from 0 to below --ratio {ratio:g}"
        )
    if min(buffers) < 0 or (any(buffers) and by == "region"):
        raise ArgumentError(
            f"--buffer {max(buffers, key=abs):g}: expected degrees (or cells) from 0 on, with --by longitude; regions "
            "drawn by number have none"
        )


def _counts(regions: int, ratio: float, validation: float) -> dict[str, int]:
    """Regions of each part, at least one."""
    counts = {"test": max(1, round((1 - ratio) * regions))}
    if validation:
        counts["validation"] = max(1, round(validation * regions))
    counts["train"] = regions - sum(counts.values())
    if counts["train"] < 1:
        raise ArgumentError(
            f"{regions} region(s) for {', '.join(counts)}: a part would be empty; pair cubes of at least "
            f"{len(counts)} regions, or leave out --validation"
        )
    return counts


def _draw(
    regions: Sequence[Region], counts: Mapping[str, int], seed: int
) -> dict[str, list[Region]]:
    order = np.random.default_rng([seed, 0x5E11]).permutation(len(regions))
    parts, start = {}, 0
    for part in ("test", "validation", "train"):
        if part in counts:
            chosen = order[start : start + counts[part]]
            parts[part] = [regions[k] for k in sorted(chosen)]
            start += counts[part]
    return parts


def _cut(
    regions: Sequence[Region],
    counts: Mapping[str, int],
    buffer: float,
    seed: int,
    report: SplitReport,
) -> dict[str, list[Region]]:
    """Sectors for test and validation; what lies beyond all buffers is for training."""
    rest, parts = list(regions), {"dropped": list[Region]()}
    first = int(np.random.default_rng([seed, 0x5EC7]).integers(len(regions)))
    for part in ("test", "validation"):
        if part not in counts:
            continue
        extents = [region.extent for region in rest if region.extent is not None]
        if len(extents) < len(rest):
            raise _no_longitude(rest)
        sector = take_sector(extents, count=counts[part], buffer=buffer, first=first)
        parts[part] = [rest[k] for k in sector.inside]
        parts["dropped"] += [rest[k] for k in sector.dropped]
        report.sectors[part] = (sector.extent.west, sector.extent.west + sector.extent.width)
        rest = [rest[k] for k in sector.outside]
        # the next sector begins beyond this one's buffer, so that the two share it
        first = _next_after(sector.extent, [extents[k] for k in sector.outside])
    return {**parts, "train": rest}


def _next_after(sector: Extent, extents: Sequence[Extent]) -> int:
    """Number, counted from west to east, of the first extent east of a sector."""
    east = sector.west + sector.width
    wests = sorted(extent.west for extent in extents)
    return min(range(len(wests)), key=lambda k: (wests[k] - east + 1e-6) % 360)


def _no_longitude(regions: Iterable[Region]) -> ArgumentError:
    names = [name for region in regions if region.extent is None for name in region.names]
    return ArgumentError(
        f"region {names[0]}: its headers tell no Carrington longitude (CTYPE1 = 'CRLN-…', or LON_MIN, LON_MAX and "
        "CRLN_OBS); use cubes of the CEA series, or split --by region"
    )
