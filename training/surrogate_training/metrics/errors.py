"""Errors cell by cell: of a frame against the truth, over the cells that have data.

Every function takes ``predicted`` and ``truth`` of shape (..., ny, nx) and reduces the last two axes in double, so that
it returns shape (...). ``weight`` (broadcast against them) is 1 where there is data and 0 where it is missing; what
stands in missing cells is never looked at. Where a ratio has no meaning (a constant truth) the result is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_ROUNDING = 1e-28  # of a constant's square: what subtracting its mean leaves in double


def mean(u: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Mean over the cells that have data; NaN where there is none."""
    values = np.asarray(u, np.float64)
    if weight is None:
        return np.asarray(values.mean((-2, -1)))
    present = np.broadcast_to(np.asarray(weight) > 0, values.shape)
    total = np.where(present, values, 0.0).sum((-2, -1))
    return _ratio(total, present.sum((-2, -1)))


def variance(u: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Mean squared deviation from the frame's mean (divisor: the number of cells); exactly 0 for a constant."""
    return _centred(u, weight)[1]


def mse(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Mean squared error."""
    return mean(_difference(predicted, truth) ** 2, weight)


def rmse(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Root of the mean squared error."""
    return np.sqrt(mse(predicted, truth, weight))


def relative_l2(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """``|predicted - truth| / |truth|``, Euclidean norms over the cells."""
    square = mean(np.asarray(truth, np.float64) ** 2, weight)
    return np.asarray(np.sqrt(_ratio(mse(predicted, truth, weight), square)))


def vrmse(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """``sqrt(MSE / variance of the truth)``, as in The Well (Ohana et al. 2024, arXiv:2412.00568); 1: the mean."""
    return np.asarray(np.sqrt(_ratio(mse(predicted, truth, weight), variance(truth, weight))))


def mae(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Mean absolute error."""
    return mean(np.abs(_difference(predicted, truth)), weight)


def max_error(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Largest absolute error; NaN where no cell has data."""
    error = np.abs(_difference(predicted, truth))
    if weight is None:
        return np.asarray(error.max((-2, -1)))
    present = np.broadcast_to(np.asarray(weight) > 0, error.shape)
    largest = np.where(present, error, -np.inf).max((-2, -1))
    return np.asarray(np.where(np.isfinite(largest), largest, np.nan))


def correlation(predicted: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Pearson's correlation over the cells; NaN where one of the two is constant."""
    (p, vp), (t, vt) = (_centred(u, weight) for u in (predicted, truth))
    return _ratio(mean(p * t, weight), np.sqrt(vp * vt))


def _centred(u: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array]:
    """A field without its mean, and its variance: 0 where only rounding is left of it."""
    values = np.asarray(u, np.float64)
    centred = values - mean(values, weight)[..., None, None]
    square = mean(centred**2, weight)
    return centred, np.where(square > _ROUNDING * mean(values**2, weight), square, 0.0)


def _difference(predicted: ArrayLike, truth: ArrayLike) -> Array:
    return np.asarray(predicted, np.float64) - np.asarray(truth, np.float64)


def _ratio(above: ArrayLike, below: ArrayLike) -> Array:
    """``above / below``, NaN where the latter is 0."""
    a, b = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.asarray(np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0))
