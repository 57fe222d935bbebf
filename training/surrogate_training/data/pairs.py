"""Pairs (u(t1), u(t2)) from trajectories or from a list of pairs, lazily or from memory.

Files are read by :func:`surrogate.io.frames.open_frames`, which knows the solver's own HDF5, recordings, FITS and
others; a file may hold several trajectories. A split keeps the trajectories of a file, and the pairs of an active
region, together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surrogate.text import tokens
from surrogate_training.config import Data, PairLists
from surrogate_training.data.captions import check_vocabulary, read_captions
from surrogate_training.data.grid import Grid, common_grid, interval
from surrogate_training.data.listed import hold_out, runs_of
from surrogate_training.data.runs import DT, Array, Run, list_runs, read_runs, read_states
from surrogate_training.data.split import LeakageError, check_leakage, split_files, state_hash
from surrogate_training.magnetogram import pairlist

# Listed frames are one jump apart if the distance of their times is, to this share of the jump.
TOLERANCE = 0.1


@dataclass(frozen=True)
class Pair:
    """Two frames of a run: numbers of the run and its frames, and the time between."""

    run: int
    first: int
    second: int
    jump: float


@dataclass(frozen=True)
class Sample:
    """States one jump apart, and where they hold data.

    Attributes
    ----------
    states : ndarray, shape (count, C, ny, nx), float32
        Missing cells hold the field's ``fill``.
    weight : ndarray, shape (1, ny, nx), float32, optional
        0 where a value that the net sees or predicts is missing, else 1; None: nothing is ever missing.
    """

    states: Array
    weight: Array | None


class PairSet:
    """All pairs of a list of runs.

    ``pair(i)`` is float32 of shape (2, C, ny, nx). With ``data.cached`` frames are read once and kept;
    otherwise each call opens its files, so that a set of any size can be used, by any number of threads or processes.

    Attributes
    ----------
    files : tuple of Path
        Every file.
    runs : list of Run
        Trajectories, or active regions.
    frames : list of int
        Frames of each.
    index : list of Pair
        The pairs, in order.
    """

    def __init__(
        self, files: tuple[Path, ...], data: Data, *, listed: Sequence[pairlist.Pair] | None = None
    ) -> None:
        self.data = data
        if listed is None:
            self.runs = list_runs(files, data)
            self.index = _consecutive(self.runs, data)
            self.files = files
        else:
            self.runs, found = runs_of(listed, data)
            self.index = [Pair(*pair) for pair in found]
            self.files = tuple(dict.fromkeys(p.file for run in self.runs for p in run.places))
        self._listed = listed is not None
        firsts = {(pair.run, pair.first) for pair in self.index}
        self._captions = read_captions(self.runs, firsts, data)
        self.frames = [len(run) for run in self.runs]
        self._cache = read_runs(self.runs, data) if data.cached else None

    def __len__(self) -> int:
        return len(self.index)

    def pair(self, index: int) -> Array:
        """The states at t1 and t2, shape (2, C, ny, nx)."""
        return self.sample(index).states

    def window(self, index: int, count: int) -> Array:
        """The states at t1, t1 + jump, …, shape (count, C, ny, nx); `index` is one of ``spans(count)``."""
        return self.sample(index, count).states

    def sample(self, index: int, count: int = 2) -> Sample:
        """The same, with the weight of its cells.

        Raises
        ------
        ValueError
            If the trajectory ends before.
        """
        pair = self.index[index]
        frames = [self._step(pair, k) for k in range(count)]
        if None in frames:
            raise ValueError(
                f"pair {index} ({self.where(index)}) has no {count} frames one jump apart; choose from spans({count})"
            )
        u = self._states(pair.run, [n for n in frames if n is not None])
        if self.data.missing == "refuse":
            return Sample(u, None)
        return Sample(self._filled(u), self._weight(u))

    def spans(self, count: int) -> list[int]:
        """Pairs from whose t1 on there are `count` frames one jump apart."""
        return [
            i
            for i, pair in enumerate(self.index)
            if all(self._step(pair, k) is not None for k in range(2, count))
        ]

    def spread(self, wanted: int) -> list[int]:
        """Up to `wanted` pairs, spread evenly over the set."""
        count = min(wanted, len(self))
        return [n * len(self) // count for n in range(count)]

    def weight(self, index: int) -> Array | None:
        """1 where a pair has data, 0 where not, shape (1, ny, nx); None where nothing may be missing."""
        return self.sample(index).weight

    def previous(self, index: int) -> Array | None:
        """The state one jump before t1, shape (C, ny, nx); None if there is none."""
        pair = self.index[index]
        before = self._step(pair, -1)
        return None if before is None else self._filled(self._states(pair.run, [before]))[0]

    def parameters(self, index: int) -> Array | None:
        """Scalar inputs at t1, in the recipe's order, then the caption's token ids, float32 (Q,); None: neither."""
        names, captions = [p.name for p in self.data.parameters], self.data.captions
        if not names and captions is None:
            return None
        pair = self.index[index]
        stored = dict(
            zip(
                (name for name in names if name != DT),
                self.runs[pair.run].scalars[pair.first],
                strict=True,
            )
        )
        ids = tokens(self.caption(index), captions.text) if captions is not None else []
        return np.array([*({DT: pair.jump, **stored}[name] for name in names), *ids], np.float32)

    def caption(self, index: int) -> str | None:
        """What is said of the frame at t1; None if the recipe has no captions."""
        pair = self.index[index]
        return self._captions.get((pair.run, pair.first))

    def time(self, index: int) -> float:
        """Time t1."""
        pair = self.index[index]
        return float(self.runs[pair.run].times[pair.first])

    def jump(self, index: int) -> float:
        """Time from t1 to t2."""
        return self.index[index].jump

    def run(self, index: int) -> int:
        """Number of the run that a pair is of."""
        return self.index[index].run

    def where(self, index: int) -> tuple[str, int]:
        """File name and first frame of a pair."""
        pair = self.index[index]
        place = self.runs[pair.run].places[pair.first]
        return place.file.name, place.frame

    def trajectory(self, t: int) -> Array:
        """All frames of run ``t``, shape (frames, C, ny, nx)."""
        return self._filled(self._states(t, range(self.frames[t])))

    def hashes(self) -> dict[str, str]:
        """Hash of every state → where it is."""
        return {
            state_hash(u): f"{place.file.name} frame {place.frame}"
            for t, run in enumerate(self.runs)
            for place, u in zip(run.places, self.trajectory(t), strict=True)
        }

    @property
    def captions(self) -> set[str]:
        """Every caption of the set."""
        return set(self._captions.values())

    @property
    def jumps(self) -> list[float]:
        """Time from t1 to t2 of every run: of several strides of the first, of a list the median."""
        if not self._listed:
            return [interval(run) * self.data.jumps[0] for run in self.runs]
        return [float(np.median([pair.jump for pair in self.index]))] * len(self.runs)

    def _states(self, run: int, frames: Sequence[int]) -> Array:
        """As stored, with NaN where data is missing."""
        if self._cache is None:
            return read_states(self.runs[run], frames, self.data)
        step = frames[1] - frames[0] if len(frames) > 1 else 1
        if list(frames) == list(range(frames[0], frames[-1] + 1, step)):
            return self._cache[run][frames[0] : frames[-1] + 1 : step]
        return self._cache[run][list(frames)]

    def _filled(self, u: Array) -> Array:
        if self.data.missing == "refuse":
            return u
        fill = np.array([f.fill for f in self.data.fields], np.float32).reshape(-1, 1, 1)
        return np.where(np.isnan(u), fill, u)

    def _weight(self, u: Array) -> Array:
        """Of states (count, C, ny, nx); of the last one the predicted fields alone are used."""
        predicted = [c for c, field in enumerate(self.data.fields) if not field.condition]
        gone = np.isnan(u[:-1]).any((0, 1)) | np.isnan(u[-1, predicted]).any(0)
        return np.where(gone, 0, 1).astype(np.float32)[None]  # (1, ny, nx)

    def _step(self, pair: Pair, k: int) -> int | None:
        """The frame `k` jumps after t1; None if there is none."""
        if k in (0, 1):
            return (pair.first, pair.second)[k]
        run = self.runs[pair.run]
        if not self._listed:
            frame = pair.first + k * (pair.second - pair.first)
            return frame if 0 <= frame < len(run) else None
        away = np.abs(run.times - (run.times[pair.first] + k * pair.jump))
        frame = int(away.argmin())
        return frame if away[frame] <= TOLERANCE * pair.jump else None


def _consecutive(runs: Sequence[Run], data: Data) -> list[Pair]:
    """Pairs of every stride."""
    return [
        Pair(t, n, n + stride, float(run.times[n + stride] - run.times[n]))
        for t, run in enumerate(runs)
        for stride in data.jumps
        for n in range(len(run) - stride)
    ]


def open_sets(data: Data, *, root: Path) -> dict[str, PairSet]:
    """Open the three parts of the data set and check that they share no state.

    Raises
    ------
    FileNotFoundError
        If the folder holds no trajectory, or a list of pairs or a file in it is missing.
    ValueError
        If a part has no pair.
    LeakageError
        If two parts share a state, or a region.
    """
    sets = parts(data, root=root)
    for part, pairs in sets.items():
        if len(pairs) == 0 and (pairs.runs or part == "train"):
            raise ValueError(
                f"data: the part {part} has no pair: its {len(pairs.runs)} trajectories have "
                f"{max(pairs.frames, default=0)} frames at most, and the stride is {max(data.jumps)}; "
                "give longer trajectories, or a smaller data.stride"
            )
    if shared := shared_regions(sets):
        raise LeakageError(
            f"data.pairs: {shared[0]}: split by active region (surrogate data split)"
        )
    if data.captions is not None:
        check_vocabulary(sets["train"].captions, data.captions)
    check_leakage({part: pairs.hashes() for part, pairs in sets.items()})
    return sets


def parts(data: Data, *, root: Path) -> dict[str, PairSet]:
    """The same, of whatever they hold.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, or files are no one data set.
    """
    if data.mapping:
        data = data.model_copy(update={"mapping": str(root / data.mapping)})
    if data.captions is not None and data.captions.file:
        table = str(root / data.path / data.captions.file)
        captions = data.captions.model_copy(update={"file": table})
        data = data.model_copy(update={"captions": captions})
    return _split_sets(data, root) if data.pairs is None else _listed_sets(data, data.pairs, root)


def grid_of(sets: Iterable[PairSet]) -> Grid:
    """The grid that all parts of a data set share.

    Raises
    ------
    ValueError
        If they differ in shape, units or, without the parameter ``dt``, in their jump.
    """
    parts = [pairs for pairs in sets if pairs.runs]
    runs = [run for pairs in parts for run in pairs.runs]
    jumps = [jump for pairs in parts for jump in pairs.jumps]
    return common_grid(runs, jumps, parts[0].data)


def _split_sets(data: Data, root: Path) -> dict[str, PairSet]:
    folder = root / data.path
    files = sorted(folder.glob(data.pattern))
    if not files:
        raise FileNotFoundError(f"{folder} holds no {data.pattern}; data.generate has made nothing")
    return {part: PairSet(found, data) for part, found in split_files(files, data.split).items()}


def _listed_sets(data: Data, lists: PairLists, root: Path) -> dict[str, PairSet]:
    base = root / data.path
    rows = {"train": pairlist.read_pairs(base / lists.train)}
    if lists.validation:
        rows["validation"] = pairlist.read_pairs(base / lists.validation)
    else:
        rows["train"], rows["validation"] = hold_out(rows["train"])
    rows["test"] = pairlist.read_pairs(base / lists.test)
    return {part: PairSet((), data, listed=pairs) for part, pairs in rows.items()}


def shared_regions(sets: Mapping[str, PairSet]) -> list[str]:
    """Regions of listed pairs that two parts have, and which."""
    seen: dict[str, str] = {}
    found = []
    for part, pairs in sets.items():
        for run in pairs.runs if pairs.data.pairs is not None else ():
            other = seen.setdefault(run.name, part)
            if other != part:
                found.append(f"region {run.name} is in {other} and in {part}")
    return found
