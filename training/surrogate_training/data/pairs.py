"""Pairs (u(t1), u(t2)) from trajectory files, lazily or from memory.

Files are read by :class:`surrogate.io.frames.FrameFile`: the solver's own HDF5, or recordings and other files in
The Well's layout, which may hold several trajectories each. A split keeps the trajectories of a file together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from surrogate.errors import FieldError
from surrogate.io.frames import FrameFile
from surrogate_training.config import Data
from surrogate_training.data.split import check_leakage, split_files, state_hash

Array = NDArray[np.float32]


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
        Time from t1 to t2.
    constants : dict of str to float
        Scalar parameters that are equal in every file (gamma, b0x, …).
    """

    shape: tuple[int, int]
    spacing: tuple[float, float]
    jump: float
    constants: dict[str, float]


class PairSet:
    """All pairs of a list of trajectories.

    ``pair(i)`` is float32 of shape (2, C, ny, nx). With ``data.cached`` frames are read once and kept;
    otherwise each call opens its file, so that a set of any size can be used.
    """

    def __init__(self, files: tuple[Path, ...], data: Data) -> None:
        self.files = files
        self.data = data
        self.runs: list[tuple[Path, int]] = []  # file and number of the trajectory in it
        self.frames: list[int] = []
        for file in files:
            with FrameFile(file) as stored:
                _check_fields(stored, data)
                self.runs += [(file, number) for number in range(stored.trajectories)]
                self.frames += [stored.frames] * stored.trajectories
        self._index = [
            (t, n) for t, frames in enumerate(self.frames) for n in range(frames - data.stride)
        ]
        self._cache = (
            [self._read(t, 0, n) for t, n in enumerate(self.frames)] if data.cached else None
        )

    def __len__(self) -> int:
        return len(self._index)

    def pair(self, index: int) -> Array:
        """The states at t1 and t2, shape (2, C, ny, nx)."""
        t, n = self._index[index]
        step = self.data.stride
        if self._cache is not None:
            return self._cache[t][n : n + step + 1 : step]
        return self._read(t, n, n + step + 1)[::step]

    def where(self, index: int) -> tuple[str, int]:
        """File name and first frame of a pair."""
        t, n = self._index[index]
        return self.runs[t][0].name, n

    def time(self, index: int) -> float:
        """Time t1 of a pair."""
        t, n = self._index[index]
        path, number = self.runs[t]
        with FrameFile(path) as stored:
            return float(stored.times(number)[n])

    def jump(self, index: int) -> float:
        """Time from t1 to t2."""
        t, n = self._index[index]
        with FrameFile(self.runs[t][0]) as stored:
            times = stored.times(self.runs[t][1])
        return float(times[n + self.data.stride] - times[n])

    def previous(self, index: int) -> Array | None:
        """The state one jump before t1, shape (C, ny, nx), where there is one."""
        t, n = self._index[index]
        before = n - self.data.stride
        if before < 0:
            return None
        return np.asarray(self.trajectory(t)[before])

    def weight(self, index: int) -> Array | None:
        """Where a pair has data."""
        return None

    def parameters(self, index: int) -> Array | None:
        """Scalar parameters of a pair."""
        return None

    def spans(self, count: int) -> list[int]:
        """Pairs that begin a window of ``count`` frames."""
        last = (count - 1) * self.data.stride
        return [i for i, (t, n) in enumerate(self._index) if n + last < self.frames[t]]

    def window(self, index: int, count: int) -> Array:
        """Frames t1, t1 + jump, …, shape (count, C, ny, nx)."""
        t, n = self._index[index]
        stop = n + (count - 1) * self.data.stride + 1
        frames = self._cache[t][n:stop] if self._cache is not None else self._read(t, n, stop)
        return frames[:: self.data.stride]

    def trajectory(self, t: int) -> Array:
        """All frames of trajectory ``t``, shape (frames, C, ny, nx)."""
        return self._cache[t] if self._cache is not None else self._read(t, 0, self.frames[t])

    def hashes(self) -> dict[str, str]:
        """Hash of every state → where it is."""
        return {
            state_hash(u): f"{file.name} frame {n}"
            for t, (file, _) in enumerate(self.runs)
            for n, u in enumerate(self.trajectory(t))
        }

    def _read(self, t: int, start: int, stop: int) -> Array:
        path, number = self.runs[t]
        with FrameFile(path) as stored:
            fields = [
                np.asarray(stored.read(f.path, start, stop, trajectory=number), np.float32)
                for f in self.data.fields
            ]
        u = np.stack(fields, axis=1)  # (frames, C, ny, nx)
        if not np.isfinite(u).all():
            raise ValueError(f"{path} holds values that are not finite: generate it again")
        uniform = np.argwhere(np.ptp(u, axis=(2, 3)) == 0)
        if len(uniform):
            n, c = uniform[0]
            name = self.data.fields[c].name
            raise ValueError(
                f"{path}: frame {start + n} of {name} is uniform, as a file that was not written "
                "completely is: generate it again"
            )
        return u


def _check_fields(stored: FrameFile, data: Data) -> None:
    for field in data.fields:
        try:
            rank = stored.read(field.path, 0, 1).ndim
        except FieldError as error:
            raise ValueError(f"{error}; data.fields asks for {field.path!r}") from error
        if rank != 1 + len(stored.shape):
            raise ValueError(
                f"{stored.path}: {field.path} has several components; name one: dataset: {field.path}[0]"
            )


def open_sets(data: Data, *, root: Path) -> dict[str, PairSet]:
    """Open the three parts of the data set and check that they share no state.

    Raises
    ------
    FileNotFoundError
        If the folder holds no trajectory.
    LeakageError
        If two parts share a state.
    """
    folder = root / data.path
    files = sorted(folder.glob(data.pattern))
    if not files:
        raise FileNotFoundError(f"{folder} holds no {data.pattern}; data.generate has made nothing")
    sets = {part: PairSet(found, data) for part, found in split_files(files, data.split).items()}
    check_leakage({part: pairs.hashes() for part, pairs in sets.items()})
    return sets


def read_grid(files: tuple[Path, ...], data: Data) -> Grid:
    """Read the grid from the first file and check that the others agree with it.

    Raises
    ------
    ValueError
        If files differ in shape or interval.
    """
    first: Grid | None = None
    for file in files:
        with FrameFile(file) as stored:
            shape, spacing, time = stored.shape, stored.spacing, stored.times()
            constants = stored.constants
        if len(shape) != 2:
            raise ValueError(f"{file} has {len(shape)} spatial axes; expected 2, (ny, nx)")
        steps = np.diff(time)
        if not np.allclose(steps, steps[0], rtol=1e-6):
            raise ValueError(f"{file}: frames are not equally spaced in time: {steps}")
        (ny, nx), (dy, dx) = shape, spacing
        grid = Grid((ny, nx), (dy, dx), float(steps.mean()) * data.stride, constants)
        if first is None:
            first = grid
        elif grid.shape != first.shape or not np.isclose(grid.jump, first.jump, rtol=1e-6):
            raise ValueError(
                f"{file} has {grid.shape} cells and jump {grid.jump:g}, but {files[0]} has "
                f"{first.shape} and {first.jump:g}: one data set has one grid and one interval"
            )
        else:
            same = {k: v for k, v in first.constants.items() if grid.constants.get(k) == v}
            first = Grid(first.shape, first.spacing, first.jump, same)
    if first is None:
        raise ValueError("no trajectory files were given")
    return first
