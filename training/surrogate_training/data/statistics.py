"""Normalisation statistics of a training set, kept in the run folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from surrogate_training.data.grid import Grid
from surrogate_training.data.pairs import PairSet


@dataclass(frozen=True)
class FieldStatistics:
    """Of one field over all frames t1 of the training set (in its unit).

    ``increment_std`` is of u(t2) - u(t1). ``gradient_std`` and ``gradient_increment_std`` are of the
    backward face differences du/dy, du/dx pooled: for a potential, of its curl B and of ΔB.
    ``low``/``high`` are the quantiles 0.1 % and 99.9 %. ``scaled_limit`` is the largest |s| of the scaled field
    s (u, or asinh(u / softening)) in both frames, by which bounded outputs are divided.
    """

    mean: float
    std: float
    increment_std: float
    gradient_std: float
    gradient_increment_std: float
    minimum: float
    maximum: float
    low: float
    high: float
    scaled_limit: float = 0.0

    def __post_init__(self) -> None:
        if (
            self.scaled_limit == 0
        ):  # a run folder from before there were other scalings than the linear
            largest = max(abs(self.minimum), abs(self.maximum))
            object.__setattr__(self, "scaled_limit", largest)


@dataclass(frozen=True)
class Statistics:
    """Per field, with the grid that they were measured on."""

    fields: dict[str, FieldStatistics]
    shape: tuple[int, int]
    spacing: tuple[float, float]
    jump: float
    constants: dict[str, float]
    pairs: int

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Read what :meth:`save` wrote."""
        tree = json.loads(Path(path).read_text())
        tree["fields"] = {k: FieldStatistics(**v) for k, v in tree["fields"].items()}
        tree["shape"], tree["spacing"] = tuple(tree["shape"]), tuple(tree["spacing"])
        return cls(**tree)


def measure(pairs: PairSet, grid: Grid) -> Statistics:
    """Measure a set in one pass over its pairs (sums in double); cells without data do not count.

    Raises
    ------
    ValueError
        If a field is constant over the set, or a predicted one does not change in time.
    """
    channels = len(pairs.data.fields)
    sums = {k: np.zeros(channels) for k in ("u", "uu", "dd", "gg", "hh")}
    samples: list[np.ndarray] = []
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    total = 0.0  # pairs, each counted by the share of its cells that hold data
    averaged = [c for c, field in enumerate(pairs.data.fields) if field.interval]
    for i in range(len(pairs)):
        sample = pairs.sample(i)
        u, v = sample.states.astype(np.float64)  # (C, ny, nx) each
        valid = None if sample.weight is None else sample.weight[0] > 0  # (ny, nx)
        share = 1.0 if valid is None else float(valid.mean())
        if share == 0:
            continue
        d = v - u
        total += share
        sums["u"] += share * _mean(u, valid)
        sums["uu"] += share * _mean(u**2, valid)
        sums["dd"] += share * _mean(d**2, valid)
        sums["gg"] += share * _gradient_square(u, grid.spacing, valid)
        sums["hh"] += share * _gradient_square(d, grid.spacing, valid)
        v[averaged] = u[averaged]  # the mean over the next interval is not used, and may be missing
        both = np.stack([u, v])[..., slice(None) if valid is None else valid].reshape(
            2, channels, -1
        )
        low, high = np.minimum(low, both.min((0, 2))), np.maximum(high, both.max((0, 2)))
        some = (..., slice(i % 7, None, 7), slice(i % 5, None, 11))
        kept = u[some].reshape(channels, -1)
        if valid is not None:
            kept = kept[:, valid[some].ravel()]
        samples.append(kept.astype(np.float32))
    if total == 0:
        raise ValueError("no pair of the training set has data in any cell")
    quantile = np.quantile(np.concatenate(samples, axis=1), [0.001, 0.999], axis=1)
    mean = sums["u"] / total
    std = np.sqrt(np.maximum(sums["uu"] / total - mean**2, 0))
    delta, grad, dgrad = (np.sqrt(sums[k] / total) for k in ("dd", "gg", "hh"))
    fields = {}
    for c, field in enumerate(pairs.data.fields):
        if std[c] == 0 or (delta[c] == 0 and not field.condition):
            raise ValueError(f"field {field.name} is constant over the training set: leave it out")
        numbers = (mean, std, delta, grad, dgrad, low, high, *quantile)
        largest = max(abs(low[c]), abs(high[c]))
        limit = largest if field.scaling == "linear" else np.arcsinh(largest / field.softening)
        values = [*(float(a[c]) for a in numbers), float(limit)]
        fields[field.name] = FieldStatistics(*values)
    return Statistics(fields, grid.shape, grid.spacing, grid.jump, grid.constants, len(pairs))


def _mean(u: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """Over the cells that hold data, (C,)."""
    return np.asarray(u.mean((1, 2)) if valid is None else u[:, valid].mean(1))


def _gradient_square(
    u: np.ndarray, spacing: tuple[float, float], valid: np.ndarray | None
) -> np.ndarray:
    """Half the mean square of the face differences, (C,)."""
    total = np.zeros(len(u))
    for axis, step in zip((1, 2), spacing, strict=True):
        square = ((np.roll(u, -1, axis) - u) / step) ** 2
        both = None if valid is None else valid & np.roll(valid, -1, axis - 1)
        total = total + (_mean(square, both) if both is None or both.any() else 0)
    return np.asarray(0.5 * total)
