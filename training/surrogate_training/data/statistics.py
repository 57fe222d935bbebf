"""Normalisation statistics of a training set, kept in the run folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from surrogate.whole import write_json
from surrogate_training.config import Data
from surrogate_training.data.grid import Grid
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.scaling import scaled


@dataclass(frozen=True)
class FieldStatistics:
    """Of one field over all frames t1 of the training set (in its unit).

    ``increment_std`` is of u(t2) - u(t1). ``gradient_std`` and ``gradient_increment_std`` are of the
    backward face differences du/dy, du/dx pooled: for a potential, of its curl B and of ΔB.
    ``low``/``high`` are the quantiles 0.1 % and 99.9 %. ``scaled_mean``, ``scaled_std`` and ``scaled_increment_std``
    are of the scaled field s (``data.fields[].scaling``), and ``scaled_limit`` is the largest |s| in both frames; None:
    not measured, as before there were scalings.
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
    scaled_limit: float | None = None


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
        write_json(path, asdict(self))

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
    """Measure a set in one pass over its pairs (sums in double); cells without data do not count.

    Raises
    ------
    ValueError
        If a field is constant over the set, or a predicted one does not change in time.
    """
    sums = _Sums(pairs.data, grid.spacing)
    for i in range(len(pairs)):
        sample = pairs.sample(i)
        valid = None if sample.weight is None else sample.weight[0] > 0  # (ny, nx)
        if valid is None or valid.any():
            sums.add(i, sample.states.astype(np.float64), valid)
    if sums.pairs == 0:
        raise ValueError("no pair of the training set has data in any cell")
    return Statistics(
        sums.fields(),
        grid.shape,
        grid.spacing,
        grid.jump,
        grid.constants,
        len(pairs),
        parameters=_parameters(pairs),
    )


class _Sums:
    """Running sums over pairs, each counted by the share of its cells that hold data."""

    def __init__(self, data: Data, spacing: tuple[float, float]) -> None:
        self.data, self.spacing = data, spacing
        channels = len(data.fields)
        self.pairs = 0.0
        self.sums = {k: np.zeros(channels) for k in ("u", "uu", "dd", "gg", "hh", "s", "ss", "ee")}
        self.low, self.high = np.full(channels, np.inf), np.full(channels, -np.inf)
        self.samples: list[np.ndarray] = []  # for quantiles
        self.averaged = [c for c, field in enumerate(data.fields) if field.interval]

    def add(self, index: int, pair: np.ndarray, valid: np.ndarray | None) -> None:
        """A pair (2, C, ny, nx), and its cells with data (ny, nx); None: all."""
        u, v = pair
        s, after = _scaled(pair, self.data)
        share = 1.0 if valid is None else float(valid.mean())
        self.pairs += share
        means = {"u": u, "uu": u**2, "dd": (v - u) ** 2}
        means |= {"s": s, "ss": s**2, "ee": (after - s) ** 2}
        for name, values in means.items():
            self.sums[name] += share * _mean(values, valid)
        self.sums["gg"] += share * _gradient_square(u, self.spacing, valid)
        self.sums["hh"] += share * _gradient_square(v - u, self.spacing, valid)
        both = pair.copy()
        # the mean over the interval after t2 is not used, and may be missing
        both[1, self.averaged] = both[0, self.averaged]
        cells = both.reshape(*both.shape[:2], -1) if valid is None else both[..., valid]
        self.low = np.minimum(self.low, cells.min((0, 2)))
        self.high = np.maximum(self.high, cells.max((0, 2)))
        some = (..., slice(index % 7, None, 7), slice(index % 5, None, 11))
        kept = u[some].reshape(len(u), -1)
        if valid is not None:
            kept = kept[:, valid[some].ravel()]
        self.samples.append(kept.astype(np.float32))

    def fields(self) -> dict[str, FieldStatistics]:
        """What the sums say.

        Raises
        ------
        ValueError
            If a field is constant.
        """
        means = {name: values / self.pairs for name, values in self.sums.items()}
        std, scaled_std = (np.sqrt(np.maximum(means[k + k] - means[k] ** 2, 0)) for k in ("u", "s"))
        delta, grad, dgrad, change = (np.sqrt(means[k]) for k in ("dd", "gg", "hh", "ee"))
        quantile = np.quantile(np.concatenate(self.samples, axis=1), [0.001, 0.999], axis=1)
        limits = np.abs(_scaled(np.stack([self.low, self.high])[..., None, None], self.data))
        measured = (means["u"], std, delta, grad, dgrad, self.low, self.high, *quantile)
        measured += (means["s"], scaled_std, change, limits.max((0, 2, 3)))
        for f, s, d in zip(self.data.fields, std, delta, strict=True):
            if s == 0 or (d == 0 and not f.condition):
                raise ValueError(f"field {f.name} is constant over the training set: leave it out")
        return {
            f.name: FieldStatistics(*(float(a[c]) for a in measured))
            for c, f in enumerate(self.data.fields)
        }


def _parameters(pairs: PairSet) -> dict[str, ParameterStatistics]:
    names = [p.name for p in pairs.data.parameters]
    rows = [pairs.parameters(i) for i in range(len(pairs)) if names]
    return {
        name: ParameterStatistics.of(np.array([row[k] for row in rows if row is not None]))
        for k, name in enumerate(names)
    }


def _scaled(both: np.ndarray, data: Data) -> np.ndarray:
    """A pair (2, C, ny, nx) in scaled units."""
    parts = [scaled(torch.from_numpy(both[:, c]), f).numpy() for c, f in enumerate(data.fields)]
    return np.stack(parts, axis=1)


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
        if both is None or both.any():
            total = total + _mean(square, both)
    return np.asarray(0.5 * total)
