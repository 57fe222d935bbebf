"""The oracle of the guards: every number that they decide by, and every policy, in numpy and float64.

All functions take whole states, shape (B, C, ...), channels in the manifest's order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.guards import Bounds
from surrogate.bundle.manifest import FieldSpec, Manifest

Float64 = NDArray[np.float64]
_LARGEST_NORMALISED = 3.4e38


@dataclass(frozen=True)
class Finding:
    """One broken guard.

    Attributes
    ----------
    guard, policy : str
        As in the manifest.
    reason : str
        Name of the ``SURROGATE_REASON_``.
    field, component, batch
        Of the worst channel; of the first one for ``finite`` and ``bounds``.
    value : float
        Number of bad cells for ``finite`` and ``bounds``, else what the guard limits.
    """

    guard: str
    policy: str
    reason: str
    field: str
    component: int
    batch: int
    value: float


@dataclass(frozen=True)
class Judgement:
    """What the guards make of a state and its predicted frame."""

    findings: tuple[Finding, ...]
    frame: Float64
    """After clipping and projection, shape (B, C, ...)."""
    clipped: int
    projections: int

    @property
    def rejection(self) -> Finding | None:
        """The first finding that refuses; input before output, in the order of the guards."""
        return next((f for f in self.findings if f.policy == "reject"), None)

    @property
    def kept(self) -> set[str]:
        """Reasons that were let pass."""
        return {f.reason for f in self.findings if f.policy == "keep"}


def judge(manifest: Manifest, state: NDArray[Any], frame: NDArray[Any]) -> Judgement:
    """Judge a state and the frame that :func:`~surrogate.reference.denormalise` makes of it.

    Parameters
    ----------
    manifest : Manifest
        With the guards to use.
    state, frame : ndarray, shape (B, C, ...)
        At t1 and t2, in the manifest's units.
    """
    policy = manifest.guards.policy
    before, after = np.asarray(state, np.float64), np.array(frame, np.float64)
    findings = [*_input_findings(manifest, before)]
    clipped = projections = 0
    findings += _value_findings(manifest, after, "OUTPUT", clip=policy.bounds == "clip")
    if policy.bounds == "clip":
        for entry, _, c in _channels(manifest, predicted=True):
            bounds = manifest.guards.bounds.get(entry.name, Bounds())
            inside = np.clip(after[:, c], *_ends(bounds))
            clipped += int((inside != after[:, c]).sum())
            after[:, c] = inside
    findings += _change_findings(manifest, before, after)
    if policy.conserved == "project":
        for entry, _, c in _channels(manifest, predicted=True):
            if entry.conserved:
                axes = tuple(range(1, after.ndim - 1))
                shift = (after[:, c] - before[:, c]).mean(axis=axes, keepdims=True)  # (B, 1, ...)
                projections += int((shift != 0).sum())
                after[:, c] -= shift
    return Judgement(tuple(findings), after, clipped, projections)


def _input_findings(manifest: Manifest, state: Float64) -> Iterator[Finding]:
    guards = manifest.guards
    yield from _value_findings(manifest, state, "INPUT", clip=False)
    if guards.range is not None:
        values = {}
        for entry, k, c in _channels(manifest):
            if entry.trained_range:
                lower, upper = entry.trained_range[k]
                outside = ~((state[:, c] >= lower) & (state[:, c] <= upper))
                values[entry.name, k] = outside.reshape(len(state), -1).mean(axis=1)
        limits = Bounds(upper=guards.range.share)
        yield from _worst(manifest, "range", "INPUT_OUT_OF_RANGE", values, limits)
    if guards.statistics is not None:
        values = {
            (entry.name, k): _distance(entry, k, state[:, c].reshape(len(state), -1))
            for entry, k, c in _channels(manifest)
            if entry.trained_statistics is not None
        }
        limits = Bounds(upper=guards.statistics.distance)
        yield from _worst(manifest, "statistics", "INPUT_UNLIKE_TRAINING", values, limits)


def _distance(entry: FieldSpec, k: int, cells: Float64) -> Float64:
    """Largest |z| of mean and standard deviation of cells (B, n), shape (B,)."""
    assert entry.trained_statistics is not None
    mean, deviation = entry.trained_statistics.mean[k], entry.trained_statistics.std[k]
    of_mean = np.abs(cells.mean(axis=1) - mean[0]) / mean[1]
    of_deviation = np.abs(cells.std(axis=1) - deviation[0]) / deviation[1]
    result: Float64 = np.maximum(of_mean, of_deviation)
    return result


def _change_findings(manifest: Manifest, before: Float64, after: Float64) -> Iterator[Finding]:
    guards = manifest.guards
    if guards.conserved is not None and guards.policy.conserved != "project":
        values = {
            (entry.name, k): np.abs(_sum(after[:, c] - before[:, c])) / _sum(np.abs(before[:, c]))
            for entry, k, c in _channels(manifest, predicted=True)
            if entry.conserved
        }
        limits = Bounds(upper=guards.conserved.tolerance)
        yield from _worst(manifest, "conserved", "NOT_CONSERVED", values, limits)
    if guards.jump is not None:
        values = {}
        for entry, k, c in _channels(manifest, predicted=True):
            if entry.trained_jump:
                change = (after[:, c] - before[:, c]).reshape(len(before), -1)
                values[entry.name, k] = np.sqrt(np.mean(change**2, axis=1)) / entry.trained_jump[k]
        yield from _worst(manifest, "jump", "JUMP_OUT_OF_RANGE", values, guards.jump)


def _value_findings(
    manifest: Manifest, state: Float64, side: str, *, clip: bool
) -> Iterator[Finding]:
    """Finite and bounds: values that the guards refuse one by one."""
    guards, found = manifest.guards, {"NOT_FINITE": {}, "OUT_OF_BOUNDS": {}}  # type: ignore[var-annotated]
    for entry, k, c in _channels(manifest, predicted=side == "OUTPUT"):
        cells = state[:, c].reshape(len(state), -1)  # (B, n)
        finite = np.isfinite(cells)
        if side == "INPUT":
            reach = entry.normalisation.std[k] * _LARGEST_NORMALISED
            finite &= np.abs(cells - entry.normalisation.mean[k]) <= reach
        if guards.finite:
            found["NOT_FINITE"][entry.name, k] = (~finite).sum(axis=1)
        if entry.name in guards.bounds and not clip:
            lower, upper = _ends(guards.bounds[entry.name])
            outside = ~((cells >= lower) & (cells <= upper))
            found["OUT_OF_BOUNDS"][entry.name, k] = (
                outside & finite if guards.finite else outside
            ).sum(axis=1)
    for guard, kind in (("finite", "NOT_FINITE"), ("bounds", "OUT_OF_BOUNDS")):
        policy = str(getattr(guards.policy, guard))
        policy = "reject" if policy == "clip" else policy
        worst = [
            (int(b), index, count)
            for index, ((name, k), counts) in enumerate(found[kind].items())
            for b, count in enumerate(counts)
            if count > 0
        ]
        if worst:
            b, index, count = min(worst)
            name, k = list(found[kind])[index]
            yield Finding(guard, policy, f"{side}_{kind}", name, k, b, float(count))


def _worst(
    manifest: Manifest,
    guard: str,
    reason: str,
    values: dict[tuple[str, int], Float64],
    limits: Bounds,
) -> Iterator[Finding]:
    """The channel and state whose value (B,) is farthest from its limits, if it breaks them."""
    lower, upper = _ends(limits)
    broken = [
        (float(np.nan_to_num(max(lower - value, value - upper), nan=np.inf)), -b, -index, value)
        for index, entries in enumerate(values.values())
        for b, value in enumerate(entries)
        if not lower <= value <= upper
    ]
    if broken:
        _, b, index, value = max(broken)
        name, k = list(values)[-index]
        policy = str(getattr(manifest.guards.policy, guard))
        yield Finding(guard, policy, reason, name, k, -b, float(value))


def _channels(
    manifest: Manifest, *, predicted: bool = False
) -> Iterator[tuple[FieldSpec, int, int]]:
    """Field, component and channel of the state."""
    channel = 0
    for entry in manifest.fields:
        for k in range(entry.components):
            if entry.prediction is not None or not predicted:
                yield entry, k, channel
            channel += 1


def _ends(bounds: Bounds) -> tuple[float, float]:
    return (
        -np.inf if bounds.lower is None else bounds.lower,
        np.inf if bounds.upper is None else bounds.upper,
    )


def _sum(values: Float64) -> Float64:
    result: Float64 = values.reshape(len(values), -1).sum(axis=1)
    return result
