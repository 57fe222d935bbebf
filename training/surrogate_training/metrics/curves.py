"""Numbers from curves over the lead time of a rollout."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

CORRELATED = 0.8


def time_to_correlation(
    times: ArrayLike, correlations: ArrayLike, *, level: float = CORRELATED
) -> float | None:
    """Lead time at which the correlation first falls below ``level``, between frames by a straight line.

    Parameters
    ----------
    times, correlations : array, shape (n,)
        After 1, 2, … jumps; at lead time 0 the correlation is 1. A correlation that is NaN counts as fallen.

    Returns
    -------
    float or None
        None: it stays above to the end of the curve.
    """
    t = np.concatenate([[0.0], np.asarray(times, np.float64)])
    c = np.concatenate([[1.0], np.asarray(correlations, np.float64)])
    fallen = np.flatnonzero(~(c >= level))
    if len(fallen) == 0:
        return None
    n = int(fallen[0])
    if not np.isfinite(c[n]):
        return float(t[n])
    return float(t[n - 1] + (t[n] - t[n - 1]) * (c[n - 1] - level) / (c[n - 1] - c[n]))
