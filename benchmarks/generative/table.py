"""Rows of the result: a problem, a method and a number of evaluations each, means over the training seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SCORES = ("rmse", "mae", "spectrum_error", "crps", "spread_skill")
Row = dict[str, Any]


def row_of(
    problem: str, method: str, measured: Mapping[int, Mapping[str, Any]], facts: Sequence[Row]
) -> Row:
    """A row from the measurements of one number of evaluations.

    Parameters
    ----------
    problem, method : str
    measured : mapping of seed to dict
        See :func:`measure.measure`.
    facts : sequence of dict
        Of these seeds' trainings.
    """
    first = next(iter(measured.values()))
    return {
        "problem": problem,
        "method": method,
        "nfe": first["nfe"],
        "parameters": facts[0]["parameters"],
        **{name: _mean([one["scores"][name] for one in measured.values()]) for name in SCORES},
        "ms_per_member": _mean([one["ms_per_member"] for one in measured.values()]),
        "seeds": list(measured),
        "members": first["members"],
        "pairs": first["pairs"],
        "refused": sum(one["refused"] for one in measured.values()),
        "batch_over_singles": _mean([one["batch_over_singles"] for one in measured.values()]),
        "scores_of_field": {
            name: _mean([one["scores_of_field"][name] for one in measured.values()])
            for name in SCORES
        },
        "scores_by_seed": {seed: one["scores"] for seed, one in measured.items()},
        "training": [
            {key: fact[key] for key in ("steps", "seconds", "cpu_seconds", "commit")}
            for fact in facts
        ],
    }


def persistence_row(problem: str, measured: Mapping[str, Any], pairs: int) -> Row:
    """The frame at t1 in the place of the frame at t2."""
    return {
        "problem": problem,
        "method": "persistence",
        "nfe": 0,
        "parameters": 0,
        **measured["scores"],
        "ms_per_member": 0.0,
        "seeds": [],
        "members": 1,
        "pairs": pairs,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
