"""Structural similarity (Wang, Bovik, Sheikh & Simoncelli 2004, IEEE Trans. Image Processing 13, 600–612).

As in the paper: a Gaussian window of 11 × 11 cells with a deviation of 1.5 cells, K1 = 0.01, K2 = 0.03, the mean over
all windows that lie inside the frame. The data range is that of the true frame unless it is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

RADIUS, DEVIATION = 5, 1.5
K1, K2 = 0.01, 0.03


def ssim(
    predicted: ArrayLike,
    truth: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    data_range: float | None = None,
) -> float:
    """Mean structural similarity of two frames; 1 is equality.

    Parameters
    ----------
    predicted, truth : array, shape (ny, nx)
    weight : array, shape (ny, nx), optional
        1 where there is data, 0 where it is missing; windows that meet a missing cell are left out.
    data_range : float, optional
        The L of the paper; default: largest minus smallest value of ``truth`` where there is data.

    Returns
    -------
    float
        NaN if no window fits, or if the range is 0.
    """
    p, t = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    present = np.ones(t.shape, bool) if weight is None else np.asarray(weight) > 0
    if min(t.shape) < 2 * RADIUS + 1 or not present.any():
        return float("nan")
    span = float(np.ptp(t[present])) if data_range is None else data_range
    if span == 0:
        return float("nan")
    whole = _whole_windows(present)  # (ny - 2 r, nx - 2 r)
    if not whole.any():
        return float("nan")
    # similarity does not change under a common shift, and small numbers keep the digits of the variances
    middle = t[present].mean()
    p, t = (np.where(present, u - middle, 0.0) for u in (p, t))
    return float(_similarity(p, t, span, middle)[whole].mean())


def _similarity(p: Array, t: Array, span: float, middle: float) -> Array:
    """Similarity in every window; of ``p`` and ``t`` the mean ``middle`` was taken."""
    c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
    mp, mt = _blur(p), _blur(t)
    vp, vt = _blur(p * p) - mp * mp, _blur(t * t) - mt * mt
    cov = _blur(p * t) - mp * mt
    mp, mt = mp + middle, mt + middle
    light = (2 * mp * mt + c1) / (mp**2 + mt**2 + c1)
    return np.asarray(light * (2 * cov + c2) / (vp + vt + c2))


def _blur(u: Array) -> Array:
    """Gaussian means of the windows inside the frame: (ny, nx) → (ny - 2 r, nx - 2 r)."""
    offsets = np.arange(-RADIUS, RADIUS + 1)
    kernel = np.exp(-(offsets**2) / (2 * DEVIATION**2))
    kernel /= kernel.sum()
    ny, nx = (n - 2 * RADIUS for n in u.shape)
    rows = sum(w * u[i : i + ny] for i, w in enumerate(kernel))  # (ny - 2 r, nx)
    return np.asarray(sum(w * rows[:, i : i + nx] for i, w in enumerate(kernel)))


def _whole_windows(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether all cells of a window have data."""
    windows = np.lib.stride_tricks.sliding_window_view(present, 2 * RADIUS + 1, axis=0).all(-1)
    return np.asarray(
        np.lib.stride_tricks.sliding_window_view(windows, 2 * RADIUS + 1, axis=1).all(-1)
    )
