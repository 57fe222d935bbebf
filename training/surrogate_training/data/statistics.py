"""Normalisation statistics of a training set, kept in the run folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from surrogate_training.data.pairs import Grid, PairSet


@dataclass(frozen=True)
class FieldStatistics:
    """Of one field over all frames t1 of the training set (in its unit).

    ``increment_std`` is of u(t2) - u(t1). ``gradient_std`` and ``gradient_increment_std`` are of the
    backward face differences du/dy, du/dx pooled: for a potential, of its curl B and of ΔB.
    ``low``/``high`` are the quantiles 0.1 % and 99.9 %.
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
    """Measure a set in one pass over its pairs (sums in double)."""
    names = [f.name for f in pairs.data.fields]
    channels = len(names)
    sums = {k: np.zeros(channels) for k in ("u", "uu", "dd", "gg", "hh")}
    samples: list[np.ndarray] = []
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    for i in range(len(pairs)):
        u, v = pairs.pair(i).astype(np.float64)  # (C, ny, nx) each
        d = v - u
        sums["u"] += u.mean((1, 2))
        sums["uu"] += (u**2).mean((1, 2))
        sums["dd"] += (d**2).mean((1, 2))
        sums["gg"] += _gradient_square(u, grid.spacing)
        sums["hh"] += _gradient_square(d, grid.spacing)
        both = np.stack([u, v])
        low, high = np.minimum(low, both.min((0, 2, 3))), np.maximum(high, both.max((0, 2, 3)))
        samples.append(u[:, i % 7 :: 7, i % 5 :: 11].reshape(channels, -1).astype(np.float32))
    n = len(pairs)
    quantile = np.quantile(np.concatenate(samples, axis=1), [0.001, 0.999], axis=1)
    mean = sums["u"] / n
    std = np.sqrt(np.maximum(sums["uu"] / n - mean**2, 0))
    delta, grad, dgrad = (np.sqrt(sums[k] / n) for k in ("dd", "gg", "hh"))
    for name, s, d in zip(names, std, delta, strict=True):
        if s == 0 or d == 0:
            raise ValueError(f"field {name} is constant over the training set: leave it out")
    fields = {
        name: FieldStatistics(
            *(float(a[c]) for a in (mean, std, delta, grad, dgrad, low, high, *quantile))
        )
        for c, name in enumerate(names)
    }
    return Statistics(fields, grid.shape, grid.spacing, grid.jump, grid.constants, n)


def _gradient_square(u: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    dy, dx = spacing
    gy = (np.roll(u, -1, 1) - u) / dy
    gx = (np.roll(u, -1, 2) - u) / dx
    return np.asarray(0.5 * ((gy**2).mean((1, 2)) + (gx**2).mean((1, 2))))
