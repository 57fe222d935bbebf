"""Runs: the frames of one trajectory, or of one active region, and where each of them is stored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import FieldError, ShapeError, UnitError
from surrogate.io.frames import Frames, open_frames
from surrogate.io.layout import Layout, load_layout
from surrogate.io.units import same_unit
from surrogate_training.config import Data

Array = NDArray[np.float32]
DT = "dt"
"""The scalar input that is the time from t1 to t2."""
ONE_JUMP = 0.25
"""Time steps of listed pairs that differ by more than this share are several jumps."""


@dataclass(frozen=True)
class Place:
    """One frame's place."""

    file: Path
    trajectory: int
    frame: int


@dataclass(frozen=True)
class Run:
    """The frames of one trajectory or region, in the order of time.

    Attributes
    ----------
    name : str
        The file's name, or the region's.
    places : tuple of Place
        Where each frame is.
    times : ndarray, shape (frames,), float64
        In the files' unit of time.
    scalars : ndarray, shape (frames, S), float64
        Values of the recipe's parameters other than ``dt``.
    shape, spacing : (y, x)
        Cells, and their distance.
    constants : dict of str to float
        Scalar parameters of the files.
    time_unit : str
        Unit of the times; ``1`` if the files do not say.
    units : tuple of str
        Units of the fields, as the files say.
    """

    name: str
    places: tuple[Place, ...]
    times: NDArray[np.float64]
    scalars: NDArray[np.float64]
    shape: tuple[int, int]
    spacing: tuple[float, float]
    constants: dict[str, float]
    time_unit: str
    units: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.places)


def list_runs(files: Iterable[Path], data: Data) -> list[Run]:
    """Every trajectory of these files.

    Raises
    ------
    ValueError
        If a file lacks a field, or files differ in shape or units.
    """
    runs: list[Run] = []
    for file in files:
        with open_data(file, data) as stored:
            every = [
                tuple(Place(file, trajectory, n) for n in range(stored.frames))
                for trajectory in range(stored.trajectories)
            ]
            # the trajectories of a file differ in their times alone
            first = describe(stored, every[0], file.name, data)
            runs += [
                replace(first, places=places, times=stored.times(places[0].trajectory))
                for places in every
            ]
    check_alike(runs, data)
    return runs


def open_data(file: Path, data: Data) -> Frames:
    """Open a file as the recipe says."""
    return open_frames(file, mapping=_layout(data.mapping) if data.mapping else None)


@lru_cache(maxsize=8)
def _layout(path: str) -> Layout:
    return load_layout(path)


def describe(stored: Frames, places: tuple[Place, ...], name: str, data: Data) -> Run:
    """What an open file says of a run.

    Raises
    ------
    ValueError
        If a field is missing or has several components, or there are not two spatial axes.
    """
    if len(stored.shape) != 2:
        raise ShapeError(
            f"{stored.path} has {len(stored.shape)} spatial axes; expected 2, (ny, nx)"
        )
    units = []
    for field in data.fields:
        try:
            components = stored.components(field.path)
        except FieldError as error:
            raise ValueError(f"{error}; data.fields asks for {field.path!r}") from error
        if components != 1:
            raise ValueError(
                f"{stored.path}: {field.path} has several components; name one: dataset: {field.path}[0]"
            )
        units.append(stored.unit(field.path))
    wanted = [p.name for p in data.parameters if p.name != DT]
    try:
        scalars = [stored.scalar(name) for name in wanted]
    except FieldError as error:
        raise ValueError(f"{error}; data.parameters asks for it") from error
    (ny, nx), (dy, dx) = stored.shape, stored.spacing
    return Run(
        name,
        places,
        stored.times(places[0].trajectory),
        np.stack(scalars, axis=1).astype(np.float64) if wanted else np.zeros((len(places), 0)),
        (ny, nx),
        (dy, dx),
        stored.constants,
        stored.time_unit,
        tuple(units),
    )


def check_alike(runs: Sequence[Run], data: Data) -> None:
    """Refuse runs that are no one data set.

    Raises
    ------
    ShapeError
        If they differ in their cells.
    UnitError
        If they differ in a field's or the time's unit, or from the recipe's.
    """
    for run in runs:
        file, first = run.places[0].file, runs[0].places[0].file
        if run.shape != runs[0].shape:
            raise ShapeError(
                f"{file} has {run.shape} cells, but {first} has {runs[0].shape}: one data set has one grid; cut the "
                "frames to one shape, or name fewer files in data.pattern"
            )
        if not same_unit(run.time_unit, runs[0].time_unit):
            raise UnitError(
                f"{file} counts time in {run.time_unit!r}, but {first} in {runs[0].time_unit!r}: convert one of them"
            )
        for field, unit, other in zip(data.fields, run.units, runs[0].units, strict=True):
            if not same_unit(unit, other):
                raise UnitError(
                    f"{file}: {field.name} is in {unit!r}, but in {first} in {other!r}: convert one of them"
                )
            if "1" not in (unit, field.unit) and not same_unit(unit, field.unit):
                raise UnitError(
                    f"{file}: {field.name} is in {unit!r}, but the recipe says {field.unit!r}: correct "
                    "data.fields[].unit, or convert the file"
                )


class Opened:
    """The file that was asked for last, kept open; close it, or use it in a ``with`` statement."""

    def __init__(self, data: Data) -> None:
        self.data, self._stored = data, contextlib.ExitStack()
        self._file: tuple[Path, Frames] | None = None

    def __call__(self, file: Path) -> Frames:
        """The open file."""
        if self._file is None or self._file[0] != file:
            self._stored.close()
            self._file = file, self._stored.enter_context(open_data(file, self.data))
        return self._file[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stored.close()


def read_runs(runs: Sequence[Run], data: Data) -> list[Array]:
    """All frames of each run, as :func:`read_states` reads them; a file of many trajectories is opened once."""
    with Opened(data) as opened:
        return [read_states(run, range(len(run)), data, opened=opened) for run in runs]


def read_states(
    run: Run,
    indices: Sequence[int],
    data: Data,
    *,
    checked: bool = True,
    opened: Opened | None = None,
) -> Array:
    """Frames of a run.

    Without `opened` each call opens and closes its files, so a set may be used by any number of threads and processes.

    Parameters
    ----------
    run : Run
        Of which run.
    indices : sequence of int
        Which frames.
    data : Data
        Fields, and what NaN means.
    checked : bool
        Refuse values that no model should learn from.
    opened : Opened, optional
        Keeps files open from call to call.

    Returns
    -------
    ndarray, shape (frames, C, ny, nx), float32
        With NaN where data is missing, if the recipe allows that.

    Raises
    ------
    ValueError
        If values are not finite, or a predicted field is uniform as in a file that was not written completely.
    """
    parts = []
    places = [run.places[n] for n in indices]
    with Opened(data) as own:
        for (file, trajectory), group in groupby(places, lambda p: (p.file, p.trajectory)):
            frames = [place.frame for place in group]
            stored = (opened or own)(file)
            fields = [_read(stored, f.path, frames, trajectory) for f in data.fields]
            parts.append(np.stack(fields, axis=1))  # (frames, C, ny, nx)
    u = parts[0] if len(parts) == 1 else np.concatenate(parts)
    _forgive_the_end(u, run, indices, data)
    if checked:
        _check(u, places, data)
    return u


def _read(stored: Frames, path: str, frames: list[int], trajectory: int) -> Array:
    """Some frames of a field, (frames, ny, nx); neighbours in one go."""
    first, last = frames[0], frames[-1]
    if frames == list(range(first, last + 1)):
        return np.asarray(
            stored.read(path, first, last + 1, trajectory=trajectory), dtype=np.float32
        )
    single = [stored.read(path, n, n + 1, trajectory=trajectory)[0] for n in frames]
    return np.stack(single).astype(np.float32)


def _forgive_the_end(u: Array, run: Run, indices: Sequence[int], data: Data) -> None:
    """A mean over the interval after the last frame may be missing: no pair begins there."""
    for c, field in enumerate(data.fields):
        if field.interval and len(run) - 1 in indices:
            at = list(indices).index(len(run) - 1)
            u[at, c] = np.nan_to_num(u[at, c], nan=field.fill)


def _check(u: Array, places: Sequence[Place], data: Data) -> None:
    refused = ~np.isfinite(u) if data.missing == "refuse" else np.isinf(u)
    if refused.any():
        place = places[int(np.argwhere(refused)[0, 0])]
        advice = "" if np.isinf(u).any() else ', or set data.missing to "mask"'
        raise ValueError(
            f"{place.file} holds values that are not finite, first in frame {place.frame}: write it again{advice}"
        )
    varying = [c for c, field in enumerate(data.fields) if not field.condition]
    largest, least = (f.reduce(u[:, varying], axis=(2, 3)) for f in (np.fmax, np.fmin))
    for n, k in np.argwhere(~(largest > least))[:1]:
        name, place = data.fields[varying[k]].name, places[n]
        what = "has no data" if np.isnan(largest[n, k]) else "is uniform"
        raise ValueError(
            f"{place.file}: frame {place.frame} of {name} {what}, as a file that was not written "
            "completely is: write it again, or leave it out"
        )
