"""Runs out of a list of pairs: the frames of every active region, each in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from surrogate.errors import NotFoundError
from surrogate.io.tai import hours
from surrogate_training.config import Data
from surrogate_training.data.runs import DT, ONE_JUMP, Place, Run, check_alike, describe, open_data
from surrogate_training.magnetogram.pairlist import Pair


def runs_of(
    pairs: Sequence[Pair], data: Data
) -> tuple[list[Run], list[tuple[int, int, int, float]]]:
    """Every region as a run, and the pairs in the list's order: run, first frame, second frame, hours between.

    Raises
    ------
    ValueError
        If a file has several frames or lacks a field, files differ in shape or units, or the list has several time
        steps and the recipe no parameter ``dt``.
    """
    backwards = [pair for pair in pairs if not pair.hours > 0]
    if backwards:
        pair = backwards[0]
        raise ValueError(f"region {pair.region}: t2 ({pair.t2}) is not later than t1 ({pair.t1})")
    _check_jumps(pairs, data)
    frames: dict[str, dict[float, Path]] = {}
    for pair in pairs:
        for time, file in ((hours(pair.t1), pair.file1), (hours(pair.t2), pair.file2)):
            other = frames.setdefault(pair.region, {}).setdefault(time, file)
            if other != file:
                raise ValueError(
                    f"region {pair.region} has two files of one time: {other} and {file}; list one of them"
                )
    runs = [_run(region, files, data) for region, files in sorted(frames.items())]
    check_alike(runs, data)
    number = {run.name: t for t, run in enumerate(runs)}
    order = {region: {time: n for n, time in enumerate(sorted(f))} for region, f in frames.items()}
    return runs, [
        (number[p.region], order[p.region][hours(p.t1)], order[p.region][hours(p.t2)], p.hours)
        for p in pairs
    ]


def hold_out(pairs: Sequence[Pair], every: int = 10) -> tuple[list[Pair], list[Pair]]:
    """Pairs without those of every tenth region (at least one), and those.

    Raises
    ------
    ValueError
        If there is one region only.
    """
    regions = sorted({pair.region for pair in pairs})
    if len(regions) < 2:
        raise ValueError(
            f"the list for training has the region {regions[0]} alone, so none can be held out of it for validation: "
            "give data.pairs.validation, or more regions"
        )
    held = set(regions[every - 1 :: every]) or {regions[-1]}
    return [p for p in pairs if p.region not in held], [p for p in pairs if p.region in held]


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


def _check_jumps(pairs: Sequence[Pair], data: Data) -> None:
    steps = np.array([pair.hours for pair in pairs])
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
