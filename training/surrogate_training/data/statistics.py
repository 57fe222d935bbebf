"""Normalisation statistics of a training set, kept in the run folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from surrogate_training.config import Data
from surrogate_training.data.pairs import Grid, PairSet
from surrogate_training.data.scaling import scaled


@dataclass(frozen=True)
class FieldStatistics:
    """Of one field over all frames t1 of the training set (in its unit).

    ``increment_std`` is of u(t2) - u(t1). ``gradient_std`` and ``gradient_increment_std`` are of the
    backward face differences du/dy, du/dx pooled: for a potential, of its curl B and of ΔB.
    ``low``/``high`` are the quantiles 0.1 % and 99.9 %. ``scaled_mean``, ``scaled_std`` and ``scaled_increment_std``
    are of the scaled field (``data.fields[].scaling``); None: not measured, as before there were scalings.
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
    scaled_mean: float | None = None
    scaled_std: float | None = None
    scaled_increment_std: float | None = None


@dataclass(frozen=True)
class ParameterStatistics:
    """Of a scalar parameter over all training pairs, in its unit."""

    mean: float
    std: float
    minimum: float
    maximum: float
    median: float

    @classmethod
    def of(cls, values: np.ndarray) -> ParameterStatistics:
        """Measure values of shape (pairs,)."""
        v = np.asarray(values, np.float64)
        return cls(*(float(f(v)) for f in (np.mean, np.std, np.min, np.max, np.median)))


@dataclass(frozen=True)
class Statistics:
    """Per field and scalar parameter, with the grid that they were measured on."""

    fields: dict[str, FieldStatistics]
    shape: tuple[int, int]
    spacing: tuple[float, float]
    jump: float
    constants: dict[str, float]
    pairs: int
    parameters: dict[str, ParameterStatistics] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Statistics:
        """Read what :meth:`save` wrote."""
        tree = json.loads(Path(path).read_text())
        tree["fields"] = {k: FieldStatistics(**v) for k, v in tree["fields"].items()}
        parameters = tree.get("parameters", {})
        tree["parameters"] = {k: ParameterStatistics(**v) for k, v in parameters.items()}
        tree["shape"], tree["spacing"] = tuple(tree["shape"]), tuple(tree["spacing"])
        return cls(**tree)


def measure(pairs: PairSet, grid: Grid) -> Statistics:
    """Measure a set in one pass over its pairs (sums in double)."""
    names = [f.name for f in pairs.data.fields]
    channels = len(names)
    sums = {k: np.zeros(channels) for k in ("u", "uu", "dd", "gg", "hh", "s", "ss", "ee")}
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
        both = np.stack([u, v])  # (2, C, ny, nx)
        s, after = _scaled(both, pairs.data)
        sums["s"] += s.mean((1, 2))
        sums["ss"] += (s**2).mean((1, 2))
        sums["ee"] += ((after - s) ** 2).mean((1, 2))
        low, high = np.minimum(low, both.min((0, 2, 3))), np.maximum(high, both.max((0, 2, 3)))
        samples.append(u[:, i % 7 :: 7, i % 5 :: 11].reshape(channels, -1).astype(np.float32))
    n = len(pairs)
    quantile = np.quantile(np.concatenate(samples, axis=1), [0.001, 0.999], axis=1)
    mean = sums["u"] / n
    std = np.sqrt(np.maximum(sums["uu"] / n - mean**2, 0))
    scaled_mean = sums["s"] / n
    scaled_std = np.sqrt(np.maximum(sums["ss"] / n - scaled_mean**2, 0))
    delta, grad, dgrad, change = (np.sqrt(sums[k] / n) for k in ("dd", "gg", "hh", "ee"))
    for f, s, d in zip(pairs.data.fields, std, delta, strict=True):
        if s == 0 or (d == 0 and not f.condition):
            raise ValueError(f"field {f.name} is constant over the training set: leave it out")
    measured = (
        mean,
        std,
        delta,
        grad,
        dgrad,
        low,
        high,
        *quantile,
        scaled_mean,
        scaled_std,
        change,
    )
    fields = {
        name: FieldStatistics(*(float(a[c]) for a in measured)) for c, name in enumerate(names)
    }
    return Statistics(
        fields, grid.shape, grid.spacing, grid.jump, grid.constants, n, _parameters(pairs)
    )


def _parameters(pairs: PairSet) -> dict[str, ParameterStatistics]:
    specs = pairs.data.parameters
    if not specs:
        return {}
    values = np.stack([np.asarray(pairs.parameters(i)) for i in range(len(pairs))])  # (pairs, P)
    return {p.name: ParameterStatistics.of(values[:, k]) for k, p in enumerate(specs)}


def _scaled(both: np.ndarray, data: Data) -> np.ndarray:
    """A pair (2, C, ny, nx) in scaled units."""
    parts = [scaled(torch.from_numpy(both[:, c]), f).numpy() for c, f in enumerate(data.fields)]
    return np.stack(parts, axis=1)


def _gradient_square(u: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    dy, dx = spacing
    gy = (np.roll(u, -1, 1) - u) / dy
    gx = (np.roll(u, -1, 2) - u) / dx
    return np.asarray(0.5 * ((gy**2).mean((1, 2)) + (gx**2).mean((1, 2))))
