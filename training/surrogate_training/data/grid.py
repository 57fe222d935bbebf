"""Geometry that all runs of a data set share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from surrogate_training.config import Data
from surrogate_training.data.runs import DT, ONE_JUMP, Run, check_alike


@dataclass(frozen=True)
class Grid:
    """Geometry and constants that all trajectories of a data set share.

    Attributes
    ----------
    shape : (int, int)
        (ny, nx) cells.
    spacing : (float, float)
        (dy, dx).
    jump : float
        Time from t1 to t2; of several strides that of the first.
    constants : dict of str to float
        Scalar parameters that are equal in every file (gamma, b0x, …).
    """

    shape: tuple[int, int]
    spacing: tuple[float, float]
    jump: float
    constants: dict[str, float]


def interval(run: Run) -> float:
    """Time between the frames of a trajectory.

    Raises
    ------
    ValueError
        If there is one frame only, or they are not equally spaced.
    """
    file, steps = run.places[0].file, np.diff(run.times)
    if len(steps) == 0:
        raise ValueError(f"{file} holds one frame; a trajectory needs two or more to make pairs")
    if not np.allclose(steps, steps[0], rtol=1e-6):
        raise ValueError(
            f"{file}: frames are not equally spaced in time: {steps}; list pairs (data.pairs), or write it again"
        )
    return float(steps.mean())


def common_grid(runs: Sequence[Run], jumps: Iterable[float], data: Data) -> Grid:
    """The grid of these runs.

    Parameters
    ----------
    runs : sequence of Run
        Those of all parts of a data set.
    jumps : iterable of float
        Time from t1 to t2, of each.
    data : Data
        The recipe's section.

    Raises
    ------
    ValueError
        If they differ in shape, units or (without the parameter ``dt``) jump, or there are none.
    """
    if not runs:
        raise ValueError("no trajectory files were given")
    check_alike(runs, data)
    first, times = runs[0], list(jumps)
    several = DT in {parameter.name for parameter in data.parameters}
    rtol = 1e-6 if data.pairs is None else ONE_JUMP  # observations are paired by a tolerance
    for run, jump in zip(runs, times, strict=True):
        if not several and not np.isclose(jump, times[0], rtol=rtol):
            raise ValueError(
                f"{run.places[0].file} has jump {jump:g}, but {first.places[0].file} has {times[0]:g}: one data set "
                "has one interval"
            )
    same = {
        name: value
        for name, value in first.constants.items()
        if all(run.constants.get(name) == value for run in runs)
    }
    return Grid(first.shape, first.spacing, times[0], same)
