"""Whether a data set is fit to train on: what would make a model's score worthless, before it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from surrogate_training.config import Data
from surrogate_training.data.grid import interval
from surrogate_training.data.pairs import PairSet, shared_regions
from surrogate_training.data.reach import Reach, travelled
from surrogate_training.data.runs import read_states
from surrogate_training.data.scan import Scan, Start, Where

Verdict = Literal["ok", "note", "fail"]
SHOWN = 3  # examples of a kind


@dataclass(frozen=True)
class Limits:
    """Where a finding becomes a failure.

    Attributes
    ----------
    near : float
        Initial states are near duplicates if their rms distance is below this, in units of each field's std.
    persistence : float
        Persistence is too good if the rms change over a jump is below this share of the field's std.
    """

    near: float = 1e-2
    persistence: float = 1e-2


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and what to do about it."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Audit:
    """All findings.

    Attributes
    ----------
    parts : dict of str to int
        Pairs of each part.
    persistence : dict of str to float
        Of each predicted field, the error of persistence in units of its std.
    findings : tuple of Finding
        In the order of the checks.
    """

    parts: dict[str, int]
    persistence: dict[str, float]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return all(finding.verdict != "fail" for finding in self.findings)


def audit(
    sets: Mapping[str, PairSet],
    *,
    limits: Limits | None = None,
    reach: Reach | None = None,
    speed: float = 0.0,
    units: tuple[str, str] = ("1", "1"),
) -> Audit:
    """Read every frame once and judge.

    Parameters
    ----------
    sets : mapping of str to PairSet
        The parts; they need not be cached, and may hold NaN.
    limits : Limits, optional
        Where findings become failures.
    reach : Reach, optional
        How far the model sees.
    speed : float
        Fastest speed at which information travels, lengths per time unit; 0: measured from the vector fields.
    units : (str, str)
        Of length and time.
    """
    limits = limits or Limits()
    data = next(iter(sets.values())).data
    scan = Scan(data)
    for part, pairs in sets.items():
        scan.add(part, pairs)
    persistence = {
        data.fields[c].name: float(scan.change[c] / scan.std[c]) if scan.std[c] else 0.0
        for c in scan.predicted
    }
    findings = [
        _pairs(sets),
        _regions(sets),
        _exact(scan, alone=len(sets) == 1),
        _near(scan, limits, alone=len(sets) == 1),
        _uniform(scan),
        _persistence(persistence, limits),
        _missing(scan, data),
        _cadence(sets),
        travelled(sets, scan.fastest, reach, speed=speed, units=units),
    ]
    parts = {part: len(pairs) for part, pairs in sets.items()}
    return Audit(parts, persistence, tuple(Finding(*entry) for entry in findings))


Entry = tuple[str, Verdict, str, str]


def _pairs(sets: Mapping[str, PairSet]) -> Entry:
    empty = [part for part, pairs in sets.items() if len(pairs) == 0]
    counts = ", ".join(f"{part} {len(p)} of {len(p.runs)} runs" for part, p in sets.items())
    if empty:
        return "pairs", "fail", f"{empty[0]} has no pair ({counts})", "hold out more, or add data"
    return "pairs", "ok", counts, ""


def _regions(sets: Mapping[str, PairSet]) -> Entry:
    shared = shared_regions(sets)
    if shared:
        return "split", "fail", _some(shared), "split by active region (surrogate data split)"
    names = "region" if next(iter(sets.values())).data.pairs is not None else "trajectory"
    return "split", "ok", f"no {names} is in two of {', '.join(sets)}", ""


def _exact(scan: Scan, *, alone: bool) -> Entry:
    shared = []
    for places in scan.hashes.values():
        other = next((p for p in places if _apart(places[0], p, alone=alone)), None)
        if other is not None:
            shared.append(f"{places[0]} is {other}")
    if not shared:
        what = "two runs" if alone else "two parts"
        return "duplicates", "ok", f"no state is in {what}", ""
    return (
        "duplicates",
        "fail",
        f"{len(shared)} states are there twice: {_some(shared)}",
        "give every trajectory its own initial state, and split by trajectory or region",
    )


def _near(scan: Scan, limits: Limits, *, alone: bool) -> Entry:
    found = [
        f"{a.where} and {b.where} ({distance:.2g})"
        for a, b, distance in _near_pairs(scan, limits.near, alone=alone)
    ]
    told = f"initial states nearer than {limits.near:g} of the fields' std"
    if not found:
        return "near duplicates", "ok", f"no {told}", ""
    return (
        "near duplicates",
        "fail",
        f"{len(found)} pairs of {told}: {_some(found)}",
        "put such runs in one part, or draw more different initial states",
    )


def _near_pairs(scan: Scan, limit: float, *, alone: bool) -> Iterator[tuple[Start, Start, float]]:
    """Initial states that differ, but little: first by block means, then by all cells."""
    std = scan.std[scan.predicted].reshape(-1, 1, 1)
    std = np.where(std > 0, std, 1)
    if not scan.starts or len({start.blocks.shape for start in scan.starts}) > 1:
        return
    small = np.stack([(start.blocks / std).ravel() for start in scan.starts])
    for i, one in enumerate(scan.starts):
        distances = np.sqrt(((small[i + 1 :] - small[i]) ** 2).mean(1))
        # block means are nearer than the states, up to cells at the edge that no block holds
        for k in np.flatnonzero(distances < 1.1 * limit):
            other = scan.starts[i + 1 + k]
            if not _apart(one.where, other.where, alone=alone):
                continue
            first, second = (_state(start, scan) / std for start in (one, other))
            distance = float(np.sqrt(np.nanmean((first - second) ** 2)))
            if 0 < distance < limit:
                yield one, other, distance


def _state(start: Start, scan: Scan) -> np.ndarray:
    return read_states(start.source, [0], scan.data, checked=False)[0, scan.predicted]


def _apart(one: Where, other: Where, *, alone: bool) -> bool:
    """Whether two frames should have nothing in common; of one part alone, if they are of two runs."""
    return one.run != other.run if alone else one.part != other.part


def _uniform(scan: Scan) -> Entry:
    if scan.uniform:
        return (
            "constant frames",
            "fail",
            f"{len(scan.uniform)} frames are uniform: {_some(scan.uniform)}",
            "write these files again, or leave them out",
        )
    if scan.frozen:
        return (
            "constant frames",
            "fail",
            f"{len(scan.frozen)} frames are equal to the one a jump before: {_some(scan.frozen)}",
            "leave them out: the solver stood still, or a frame was written twice",
        )
    return "constant frames", "ok", "none is uniform, none repeats the one before", ""


def _persistence(errors: Mapping[str, float], limits: Limits) -> Entry:
    told = ", ".join(f"{name} {error:.3g}" for name, error in errors.items())
    good = [name for name, error in errors.items() if error < limits.persistence]
    text = f"error of persistence in units of the fields' std: {told}"
    if len(good) == len(errors):
        return "persistence", "fail", text, "predict a longer jump: hardly anything changes in this"
    advice = (
        f"{', '.join(good)} hardly changes: make it a condition, or leave it out" if good else ""
    )
    return "persistence", "note" if good else "ok", text, advice


def _missing(scan: Scan, data: Data) -> Entry:
    shares = scan.missing / max(1, scan.cells)
    told = [
        f"{field.name} {100 * share:.3g} %"
        for field, share in zip(data.fields, shares, strict=True)
        if share
    ]
    if not told:
        return "missing values", "ok", "none", ""
    if data.missing == "mask":
        return "missing values", "note", f"masked: {', '.join(told)}", ""
    return (
        "missing values",
        "fail",
        ", ".join(told),
        'write these files again, or set data.missing to "mask"',
    )


def _cadence(sets: Mapping[str, PairSet]) -> Entry:
    wrong, jumps = [], []
    for pairs in sets.values():
        jumps += [pair.jump for pair in pairs.index]
        for run in pairs.runs if pairs.data.pairs is None else ():
            try:
                interval(run)
            except ValueError as error:
                wrong.append(str(error))
    if wrong:
        return (
            "cadence",
            "fail",
            f"{len(wrong)} runs: {wrong[0]}",
            "write frames at equal intervals, or list pairs of one time step (data.pairs)",
        )
    if not jumps:
        return "cadence", "ok", "no pair", ""
    low, high = min(jumps), max(jumps)
    span = f"{low:g}" if np.isclose(low, high) else f"{low:g} to {high:g}"
    verdict: Verdict = "ok" if np.isclose(low, high) else "note"
    return "cadence", verdict, f"jumps of {span}", ""


def _some(texts: list[str]) -> str:
    return "; ".join(texts[:SHOWN]) + ("; …" if len(texts) > SHOWN else "")
