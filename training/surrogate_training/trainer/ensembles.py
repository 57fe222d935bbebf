"""Small ensembles at a few validation pairs: one sample's error alone would choose the model that draws the mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.metrics import ensemble, errors
from surrogate_training.metrics.relative import mean_score, observed, observed_weights

MEMBERS, PAIRS = 4, 16
NAMES = ("crps", "error_of_mean", "spread_skill")
"""Fair CRPS and RMSE of the members' mean, each over the standard deviation of the true frame, means over the counted
fields and the pairs; spread over the error of the mean, 1 of a calibrated ensemble."""

Score = tuple[float, float, float]
"""Of one pair: fair CRPS, mean square error of the mean, mean variance of the members, over the truth's variance."""


def score(
    frames: Tensor,
    truth: Tensor,
    recipe: Recipe,
    statistics: Statistics,
    *,
    weight: Tensor | None = None,
) -> Score:
    """Score the members of one pair.

    Parameters
    ----------
    frames : Tensor, shape (M, P, ny, nx)
    truth : Tensor, shape (1, P, ny, nx)
    recipe, statistics
        Of the training.
    weight : Tensor, shape (1, 1, ny, nx), optional
        0 where there is no data.
    """
    members, true = (observed(u.double().cpu(), recipe, statistics) for u in (frames, truth))
    weights = {} if weight is None else observed_weights(weight.double().cpu(), true, recipe)
    parts: list[dict[str, float]] = [{}, {}, {}]
    for name, u in members.items():
        x, y = u.numpy(), true[name][0].numpy()  # (M, ny, nx), (ny, nx)
        where = weights[name][0].numpy() if weights else None
        variance = float(errors.variance(y, where)) + 1e-12  # as the floor of relative_errors
        parts[0][name] = float(ensemble.fair_crps(x, y, where)) / variance**0.5
        parts[1][name] = float(errors.mse(x.mean(0), y, where)) / variance
        parts[2][name] = float(ensemble.spread(x, where)) ** 2 / variance
    crps, square, wide = (mean_score(part, recipe) for part in parts)
    return crps, square, wide


def summary(scores: Sequence[Score]) -> dict[str, float]:
    """Numbers by ``NAMES`` over the pairs."""
    crps, square, wide = np.mean(scores, 0)
    calibrated = (MEMBERS + 1) / MEMBERS  # Fortin et al. 2014, as in metrics.ensemble.spread_skill
    found = (crps, square**0.5, (calibrated * wide / max(square, 1e-300)) ** 0.5)
    return dict(zip(NAMES, map(float, found), strict=True))
