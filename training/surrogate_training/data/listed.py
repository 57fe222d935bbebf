"""Runs out of a list of pairs: the frames of every active region, each in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from surrogate.errors import NotFoundError
from surrogate_training.config import Data
from surrogate_training.data.lists import Row
from surrogate_training.data.runs import DT, ONE_JUMP, Place, Run, check_alike, describe, open_data


def runs_of(rows: Sequence[Row], data: Data) -> tuple[list[Run], list[tuple[int, int, int, float]]]:
    """Every region as a run, and the pairs in the list's order: run, first frame, second frame, hours between.

    Raises
    ------
    ValueError
        If a file has several frames or lacks a field, files differ in shape or units, or the list has several time
        steps and the recipe no parameter ``dt``.
    """
    _check_jumps(rows, data)
    frames: dict[str, dict[float, Path]] = {}
    for row in rows:
        for time, file in ((row.t1, row.file1), (row.t2, row.file2)):
            other = frames.setdefault(row.region, {}).setdefault(time, file)
            if other != file:
                raise ValueError(
                    f"region {row.region} has two files of one time: {other} and {file}; list one of them"
                )
    runs = [_run(region, files, data) for region, files in sorted(frames.items())]
    check_alike(runs, data)
    number = {run.name: t for t, run in enumerate(runs)}
    order = {region: {time: n for n, time in enumerate(sorted(f))} for region, f in frames.items()}
    return runs, [
        (number[r.region], order[r.region][r.t1], order[r.region][r.t2], r.dt) for r in rows
    ]


def _run(region: str, files: dict[float, Path], data: Data) -> Run:
    """A region's frames in the order of their listed times."""
    times = sorted(files)
    single = [_frame(files[time], region, data) for time in times]
    check_alike(single, data)
    constants = {
        name: value
        for name, value in single[0].constants.items()
        if all(frame.constants.get(name) == value for frame in single)
    }
    return replace(
        single[0],
        places=tuple(place for frame in single for place in frame.places),
        times=np.array(times),
        scalars=np.concatenate([frame.scalars for frame in single]),
        constants=constants,
        time_unit="h",
    )


def _frame(file: Path, region: str, data: Data) -> Run:
    if not file.exists():
        raise NotFoundError(
            f"{file}: no such file, but a list of pairs names it; paths are relative to the list's folder"
        )
    with open_data(file, data) as stored:
        if stored.frames != 1 or stored.trajectories != 1:
            raise ValueError(f"{file} holds {stored.frames} frames; a listed file holds one")
        return describe(stored, (Place(file, 0, 0),), region, data)


def _check_jumps(rows: Sequence[Row], data: Data) -> None:
    steps = np.array([row.dt for row in rows])
    if np.ptp(steps) <= ONE_JUMP * steps.min():
        return
    span = f"{steps.min():g} to {steps.max():g} hours"
    averaged = [field.name for field in data.fields if field.interval]
    if averaged:
        raise ValueError(
            f"the list's time steps go from {span}, but {averaged[0]} is a mean over one interval: pair by one "
            "time step"
        )
    if DT not in {parameter.name for parameter in data.parameters}:
        raise ValueError(
            f"the list's time steps go from {span}: pair by one time step, or make dt a parameter (data.parameters)"
        )
