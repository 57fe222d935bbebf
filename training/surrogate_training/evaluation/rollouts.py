"""Errors over lead time: frames that are each predicted from the one before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.predictors import Predictor
from surrogate_training.evaluation.system import System
from surrogate_training.metrics import errors
from surrogate_training.metrics.curves import time_to_correlation

Array = NDArray[np.float64]

CURVES = ("vrmse", "correlation")
WINDOWS = 16
"""Rollouts start from so many pairs at most, spread over the set."""


@dataclass(frozen=True)
class Rollout:
    """Curves of the model and of persistence.

    Attributes
    ----------
    times : ndarray, shape (jumps,)
        Lead times.
    curves : dict of str to ndarray, shape (windows, jumps, 2)
        By method: VRMSE and correlation, means over the counted fields; NaN after a frame that is not finite.
    """

    times: Array
    curves: dict[str, Array]

    def median(self, method: str, curve: str) -> Array:
        """Median over the windows, shape (jumps,); NaN where no window has a number."""
        return np.asarray(self._quantiles(method, curve, (0.5,))[0])

    def band(self, method: str, curve: str) -> Array:
        """Quantiles 16 % and 84 % over the windows, shape (2, jumps)."""
        return self._quantiles(method, curve, (0.16, 0.84))

    def _quantiles(self, method: str, curve: str, shares: tuple[float, ...]) -> Array:
        values = self.curves[method][..., CURVES.index(curve)]
        known = np.isfinite(values).any(0)
        result = np.full((len(shares), values.shape[1]), np.nan)
        result[:, known] = np.nanquantile(values[:, known], shares, axis=0)
        return np.asarray(result)

    def correlated(self, method: str) -> float | None:
        """Lead time at which the median correlation falls below 0.8; None: later than the last frame."""
        return time_to_correlation(self.times, self.median(method, "correlation"))


def longest_window(pairs: PairSet, *, share: float = 0.0) -> int:
    """Jumps of the longest window that this share of the trajectories, and at least one, has."""
    wanted, jumps = max(1.0, share * len(pairs.runs)), 1
    while len({pairs.run(index) for index in pairs.spans(jumps + 2)}) >= wanted:
        jumps += 1
    return jumps


def roll_out(
    predictor: Predictor, system: System, pairs: PairSet, *, jumps: int | None = None
) -> Rollout | None:
    """Roll a model out over windows of true frames; conditions and missing cells are those of the true frames.

    Parameters
    ----------
    predictor, system, pairs
        As in :func:`collect`.
    jumps : int, optional
        Length of the rollouts; default: the longest that half of the trajectories have.

    Returns
    -------
    Rollout or None
        None where the data holds no window of two jumps.

    Raises
    ------
    ValueError
        If the data has no window of so many jumps.
    """
    wanted = longest_window(pairs, share=0.5) if jumps is None else jumps
    if wanted > (longest := longest_window(pairs)):
        raise ValueError(
            f"--rollout {wanted}: the data has windows of {longest} jumps at most; ask for fewer"
        )
    if wanted < 2:
        return None
    found = pairs.spans(wanted + 1)
    starts = [found[(n * len(found)) // WINDOWS] for n in range(WINDOWS)]
    starts = sorted(set(starts))
    curves = {
        name: np.full((len(starts), wanted, len(CURVES)), np.nan)
        for name in ("model", "persistence")
    }
    for row, start in enumerate(starts):
        window = pairs.window(start, wanted + 1)  # (jumps + 1, C, ny, nx)
        weight, parameters = pairs.weight(start), pairs.parameters(start)
        caption = pairs.caption(start)
        where = None if weight is None else weight[0]
        state: NDArray[np.float32] | None = np.array(window[0])
        for n, truth in enumerate(window[1:]):
            still = system.predicted(window[0])
            curves["persistence"][row, n] = _scores(still, system.predicted(truth), system, where)
            if state is None:
                continue
            frame, _ = predictor.predict(state, parameters, step=start + n, caption=caption)
            if frame is None:
                state = None
                continue
            curves["model"][row, n] = _scores(frame, system.predicted(truth), system, where)
            state = np.array(truth)
            state[list(system.channels)] = (
                frame if where is None else np.where(where > 0, frame, system.predicted(truth))
            )
    return Rollout(system.jump * np.arange(1.0, wanted + 1.0), curves)


def _scores(
    frame: NDArray[np.floating], truth: NDArray[np.floating], system: System, weight: Array | None
) -> Array:
    """VRMSE and correlation, means over the counted fields."""
    p, t = system.observe(frame), system.observe(truth)
    rows = [
        (
            errors.vrmse(p[f.name], t[f.name], weight),
            errors.correlation(p[f.name], t[f.name], weight),
        )
        for f in system.counted
    ]
    return np.asarray(np.mean(rows, axis=0))
