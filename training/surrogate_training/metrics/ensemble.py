"""Scores of an ensemble: members (M, ..., ny, nx) against the truth (..., ny, nx)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_training.metrics import errors

Array = NDArray[np.float64]


def fair_crps(members: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Continuous ranked probability score, mean over the cells, unbiased by the number of members.

    ``mean_i |x_i - y| - sum_{i<j} |x_i - x_j| / (M (M - 1))`` (Ferro 2014, Q. J. R. Meteorol. Soc. 140, 1917–1923).

    Raises
    ------
    ValueError
        If there are fewer than two members.
    """
    x, y = _checked(members), np.asarray(truth, np.float64)
    m = len(x)
    distance = np.abs(x - y).mean(0)  # (..., ny, nx)
    # sum over pairs of |x_i - x_j| from order statistics: sum_k (2 k - M + 1) x_(k), k = 0 … M - 1
    ranks = (2 * np.arange(m) - m + 1).reshape(-1, *(1,) * (x.ndim - 1))
    pairs = (ranks * np.sort(x, 0)).sum(0)  # (..., ny, nx)
    return errors.mean(distance - pairs / (m * (m - 1)), weight)


def spread(members: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """Root of the mean variance over the members (divisor M - 1)."""
    return np.sqrt(errors.mean(_checked(members).var(0, ddof=1), weight))


def spread_skill(members: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> Array:
    """``sqrt((M + 1) / M)`` times spread over the RMSE of the mean; 1: as wide as its error.

    The factor is of Fortin, Abaza, Anctil & Turcotte 2014 (J. Hydrometeor. 15, 1708–1713). NaN for an exact mean.
    """
    x = _checked(members)
    skill = errors.rmse(x.mean(0), truth, weight)
    wide = np.sqrt((len(x) + 1) / len(x)) * spread(x, weight)
    return np.asarray(np.divide(wide, skill, out=np.full(np.shape(wide), np.nan), where=skill > 0))


def rank_histogram(
    members: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None, *, seed: int = 0
) -> NDArray[np.int64]:
    """How often the truth is larger than 0, 1, …, M members, shape (M + 1,); flat: members and truth are alike.

    A truth that equals some members gets one of the ranks between at random.
    """
    x, y = _checked(members), np.asarray(truth, np.float64)
    below, equal = (x < y).sum(0), (x == y).sum(0)  # (..., ny, nx)
    rank = below + np.random.default_rng(seed).integers(0, equal + 1)
    if weight is not None:
        rank = rank[np.broadcast_to(np.asarray(weight) > 0, rank.shape)]
    return np.bincount(np.ravel(rank), minlength=len(x) + 1).astype(np.int64)


def _checked(members: ArrayLike) -> Array:
    x = np.asarray(members, np.float64)
    if len(x) < 2:
        raise ValueError(
            f"{len(x)} member given; scores of an ensemble need at least 2: raise --members"
        )
    return x
