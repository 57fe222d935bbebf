"""Pairs to look at: the best, the median and the worst."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from surrogate.facts import quantity_text
from surrogate.io.tai import format_time
from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.baselines import Case, read_case
from surrogate_training.evaluation.predictors import Predictor
from surrogate_training.evaluation.system import System

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """A pair and its prediction.

    Attributes
    ----------
    title : str
        Which one it is.
    fields : dict of str to (ndarray, ndarray, ndarray), shape (ny, nx) each
        Scored fields at t1, at t2, and predicted; NaN where data is missing.
    """

    title: str
    fields: dict[str, tuple[Array, Array, Array]]


def predict_example(
    predictor: Predictor, system: System, pairs: PairSet, index: int, *, label: str
) -> Example | None:
    """Predict a pair again; None if the frame is not finite."""
    case = read_case(pairs, index, system)
    predicted, _ = predictor.predict(case.state, case.parameters, step=index, caption=case.caption)
    if predicted is None:
        return None
    known = True if case.weight is None else case.weight > 0
    u1, u2, p = (
        system.observe(np.where(known, u, np.nan)) for u in (case.before, case.truth, predicted)
    )
    jump = quantity_text(pairs.jump(index), system.time_unit)
    title = f"{label}: {case.file}, t1 = {_time(case, system)}, t2 = t1 + {jump}"
    return Example(title, {name: (u1[name], u2[name], p[name]) for name in system.names})


def _time(case: Case, system: System) -> str:
    """As a date where a list of pairs has dates."""
    if case.run != case.file:  # a region of a list, whose times are hours since 1970, TAI
        return format_time(datetime(1970, 1, 1) + timedelta(seconds=round(3600 * case.time)))
    return quantity_text(case.time, system.time_unit)
