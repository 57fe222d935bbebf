"""Scores of a stochastic model's members, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.baselines import read_case
from surrogate_training.evaluation.predictors import Predictor
from surrogate_training.evaluation.scores import Reference
from surrogate_training.evaluation.system import System
from surrogate_training.metrics import ensemble, errors
from surrogate_training.metrics.spectrum import spectrum_error

Array = NDArray[np.float64]

MEMBERS = 8
"""Of a stochastic model, unless more are asked for."""
COLUMNS = {
    "crps": 1,
    "spread_skill": 0,
    "rmse_of_mean": 1,
    "rmse_of_member": 1,
    "spectrum_error_of_mean": 0,
    "spectrum_error_of_member": 0,
    "mae_persistence": 1,
}
"""Scores, and the power of the field's unit that they have. Those of a member are means over all members."""


@dataclass(frozen=True)
class EnsembleScores:
    """Scores of ensembles.

    Attributes
    ----------
    members : int
    scores : ndarray, shape (pairs, fields, columns)
        In the order of ``COLUMNS``. Fair CRPS; spread / skill; RMSE and spectrum error of the members' mean and of
        single members; and the mean absolute error of persistence, which is its CRPS.
    ranks : dict of str to ndarray, shape (members + 1,)
        By field: rank histogram over all cells.
    seconds : list of float
        Wall time a member, of each ensemble.
    """

    members: int
    scores: Array
    ranks: dict[str, NDArray[np.int64]]
    seconds: list[float] = field(default_factory=list)


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
        frames = predictor.predict_members(
            case.state, case.parameters, members, step=index, caption=case.caption
        )
        if frames is None:
            continue
        made = [system.observe(frame) for frame in frames]
        truth, before = system.observe(case.truth), system.observe(case.before)
        weight = None if case.weight is None else np.asarray(case.weight, np.float64)
        for k, name in enumerate(system.names):
            x = np.stack([u[name] for u in made])  # (M, ny, nx)
            y = truth[name]
            reference = Reference(
                y, before[name], weight, spacing=system.spacing, periodic=system.periodic
            )
            found = {
                "crps": ensemble.fair_crps(x, y, weight),
                "spread_skill": ensemble.spread_skill(x, y, weight),
                "rmse_of_mean": errors.rmse(x.mean(0), y, weight),
                "rmse_of_member": np.mean([errors.rmse(one, y, weight) for one in x]),
                "mae_persistence": errors.mae(before[name], y, weight),
                **_spectra(x, reference),
            }
            scores[row, k] = [found[column] for column in COLUMNS]
            ranks[name] += ensemble.rank_histogram(x, y, weight, seed=index)
    return EnsembleScores(members, scores, ranks, list(predictor.member_seconds))


def _spectra(members: Array, reference: Reference) -> dict[str, float]:
    """Spectrum errors of the mean and of single members (M, ny, nx)."""

    def error(u: Array) -> float:
        return spectrum_error(reference.spectrum_of(u), reference.spectrum)

    return {
        "spectrum_error_of_mean": error(members.mean(0)),
        "spectrum_error_of_member": float(np.mean([error(one) for one in members])),
    }
