"""What every model must beat: frames at t2 that cost nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.system import System

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Case:
    """One pair.

    Attributes
    ----------
    index : int
        In its set.
    state : ndarray, shape (C, ny, nx), float32
        At t1, conditions included.
    before, truth : ndarray, shape (P, ny, nx)
        The predicted fields at t1, and those to be made: at t2, except of a system that reconstructs.
    previous : ndarray, shape (P, ny, nx), optional
        The same one jump before t1.
    weight : ndarray, shape (ny, nx), optional
        0 where data is missing.
    parameters : ndarray, shape (n,), optional
        Scalar inputs, then a caption's token ids.
    caption : str, optional
        What is said of the state, where the model reads captions.
    run, file, frame, time
        Where the pair comes from, its trajectory or region first, and t1.
    """

    index: int
    state: NDArray[np.float32]
    before: Array
    truth: Array
    previous: Array | None
    weight: Array | None
    parameters: NDArray[np.float32] | None
    caption: str | None
    run: str
    file: str
    frame: int
    time: float


def read_case(pairs: PairSet, index: int, system: System) -> Case:
    """Read a pair and what stands beside it."""
    u1, u2 = pairs.pair(index)  # (C, ny, nx) each
    previous, weight = pairs.previous(index), pairs.weight(index)
    file, frame = pairs.where(index)
    return Case(
        index,
        np.ascontiguousarray(u1),
        system.predicted(u1),
        system.predicted(u1 if system.reconstructs else u2),
        None if previous is None else system.predicted(previous),
        None if weight is None else weight[0],
        pairs.parameters(index),
        pairs.caption(index),
        pairs.runs[pairs.run(index)].name,
        file,
        frame,
        pairs.time(index),
    )


def baselines(case: Case, system: System) -> dict[str, Array | None]:
    """Frames (P, ny, nx) at t2 by name of the method; None where a pair does not have what it needs.

    ``persistence``: u(t1). ``linear_extrapolation``: 2 u(t1) - u(t1 - jump). ``mean``: the training mean of each field.
    """
    ny, nx = case.before.shape[-2:]
    mean = system.constant((ny, nx))
    line = None if case.previous is None else 2.0 * case.before - case.previous
    if system.reconstructs:  # persistence has the frame already
        return {"persistence": None, "linear_extrapolation": None, "mean": mean}
    return {
        "persistence": case.before,
        "linear_extrapolation": line,
        "mean": mean,
    }
