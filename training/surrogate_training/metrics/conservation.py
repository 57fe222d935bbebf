"""How far a prediction changes an integral that the equations keep."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surrogate_training.metrics import errors


def drift(
    predicted: ArrayLike, before: ArrayLike, weight: ArrayLike | None = None
) -> NDArray[np.float64]:
    """``(sum u(t2) - sum u(t1)) / sum |u(t1)|`` over the cells, signed, of frames (..., ny, nx).

    The guard ``conserved`` of a bundle bounds the same number. NaN where u(t1) is zero.
    """
    change = errors.mean(predicted, weight) - errors.mean(before, weight)
    size = errors.mean(np.abs(np.asarray(before, np.float64)), weight)
    return np.asarray(
        np.divide(change, size, out=np.full(np.shape(change), np.nan), where=size > 0)
    )
