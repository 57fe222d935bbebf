"""Scores of a stochastic model's members, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.baselines import read_case
from surrogate_training.evaluation.predictors import Predictor
from surrogate_training.evaluation.system import System
from surrogate_training.metrics import ensemble, errors

Array = NDArray[np.float64]

MEMBERS = 8
"""Of a stochastic model, unless more are asked for."""
COLUMNS = ("crps", "spread_skill", "rmse_of_mean", "mae_persistence")


@dataclass(frozen=True)
class EnsembleScores:
    """Scores of ensembles.

    Attributes
    ----------
    members : int
    scores : ndarray, shape (pairs, fields, 4)
        Fair CRPS, spread / skill, RMSE of the members' mean, and the mean absolute error of persistence, which is its
        CRPS.
    ranks : dict of str to ndarray, shape (members + 1,)
        By field: rank histogram over all cells.
    """

    members: int
    scores: Array
    ranks: dict[str, NDArray[np.int64]]


def score_members(
    predictor: Predictor, system: System, pairs: PairSet, indices: list[int], *, members: int
) -> EnsembleScores:
    """Predict ``members`` frames of every pair and score them together.

    Raises
    ------
    ValueError
        If there are fewer than two members, or the model is deterministic.
    """
    if not predictor.stochastic:
        raise ValueError(
            f"--members {members}: the model has no noise inputs, all its members are equal; leave the option out"
        )
    scores = np.full((len(indices), len(system.fields), len(COLUMNS)), np.nan)
    ranks = {name: np.zeros(members + 1, np.int64) for name in system.names}
    for row, index in enumerate(indices):
        case = read_case(pairs, index, system)
        frames = [
            predictor.predict(case.state, case.parameters, step=index, member=m)[0]
            for m in range(members)
        ]
        made = [system.observe(frame) for frame in frames if frame is not None]
        if len(made) < members:
            continue
        truth, before = system.observe(case.truth), system.observe(case.before)
        for k, name in enumerate(system.names):
            x = np.stack([u[name] for u in made])  # (M, ny, nx)
            y, weight = truth[name], case.weight
            scores[row, k] = (
                ensemble.fair_crps(x, y, weight),
                ensemble.spread_skill(x, y, weight),
                errors.rmse(x.mean(0), y, weight),
                errors.mae(before[name], y, weight),
            )
            ranks[name] += ensemble.rank_histogram(x, y, weight, seed=index)
    return EnsembleScores(members, scores, ranks)
