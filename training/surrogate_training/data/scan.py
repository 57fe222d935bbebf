"""One pass over a data set: what the audit needs of every frame and pair, with one frame of a run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surrogate.io.well import PIECE
from surrogate_training.config import Data
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.runs import Array, Run, read_states
from surrogate_training.data.split import state_hash

SIGNATURE = 16  # blocks a side of the small image by which initial states are compared first


@dataclass(frozen=True)
class Where:
    """A frame: of which part, run and number."""

    part: str
    run: str
    frame: int

    def __str__(self) -> str:
        return f"{self.run} frame {self.frame} ({self.part})"


@dataclass(frozen=True)
class Start:
    """The first state of a run: block means of its predicted fields, and how to read it whole."""

    where: Where
    blocks: Array
    source: Run


@dataclass
class Scan:
    """What was found.

    Attributes
    ----------
    hashes : dict of str to list of Where
        Frames by the hash of their predicted fields.
    starts : list of Start
        First states.
    uniform, frozen : list of str
        Frames whose predicted field is uniform, or equal to the one a jump before.
    missing : ndarray, shape (C,)
        Missing or infinite values.
    cells : int
        Values of each field in all.
    """

    data: Data
    hashes: dict[str, list[Where]] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    uniform: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    missing: NDArray[np.float64] = field(init=False)
    cells: int = 0

    def __post_init__(self) -> None:
        channels = len(self.data.fields)
        self.predicted = [c for c, f in enumerate(self.data.fields) if not f.condition]
        self.missing = np.zeros(channels)
        self._values = np.zeros(
            channels
        )  # finite values of all frames: number, sum, sum of squares
        self._sum, self._square = np.zeros(channels), np.zeros(channels)
        self._pairs, self._change = np.zeros(channels), np.zeros(channels)
        vectors = [f for pair in self.data.augment.vectors for f in pair]
        names = [f.name for f in self.data.fields]
        self._vectors = [names.index(name) for name in vectors]
        self.fastest = 0.0

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of the fields over all frames, (C,)."""
        count = np.maximum(self._values, 1)
        return np.sqrt(np.maximum(self._square / count - (self._sum / count) ** 2, 0))

    @property
    def change(self) -> NDArray[np.float64]:
        """Root mean square of u(t2) - u(t1), (C,)."""
        return np.sqrt(self._change / np.maximum(self._pairs, 1))

    def add(self, part: str, pairs: PairSet) -> None:
        """Read a part, frame by frame."""
        for t, run in enumerate(pairs.runs):
            jumps = [(p.first, p.second) for p in pairs.index if p.run == t]
            for where, u, before in _frames(part, run, jumps, self.data):
                self._frame(where, u, run)
                for n, earlier in before:
                    self._jump(where, n, u, earlier)

    def _frame(self, where: Where, u: Array, run: Run) -> None:
        finite = np.isfinite(u)
        values = np.where(finite, u, 0).astype(np.float64)
        self.missing += (~finite).sum((1, 2))
        self.cells += u[0].size
        self._values += finite.sum((1, 2))
        self._sum += values.sum((1, 2))
        self._square += (values**2).sum((1, 2))
        seen = u[self.predicted]  # (P, ny, nx)
        self.hashes.setdefault(state_hash(seen), []).append(where)
        if where.frame == 0:
            self.starts.append(Start(where, block_means(np.nan_to_num(seen)), run))
        for c in self.predicted:
            if finite[c].any() and np.ptp(u[c][finite[c]]) == 0:
                self.uniform.append(f"{self.data.fields[c].name} of {where}")
        for x, y in zip(self._vectors[::2], self._vectors[1::2], strict=True):
            self.fastest = max(self.fastest, float(np.hypot(values[x], values[y]).max()))

    def _jump(self, where: Where, first: int, u: Array, earlier: Array) -> None:
        both = np.isfinite(u) & np.isfinite(earlier)
        change = np.where(both, u.astype(np.float64) - earlier, 0)
        self._pairs += both.sum((1, 2))
        self._change += (change**2).sum((1, 2))
        for c in self.predicted:
            if both[c].any() and not change[c].any():
                self.frozen.append(f"{self.data.fields[c].name} of {where} since frame {first}")


def _frames(
    part: str, run: Run, jumps: list[tuple[int, int]], data: Data
) -> Iterator[tuple[Where, Array, list[tuple[int, Array]]]]:
    """Each frame (C, ny, nx), and the frames that it is the second of in a pair; they are kept as long as needed."""
    kept: dict[int, Array] = {}
    for n, u in enumerate(_states(run, data)):
        yield Where(part, run.name, n), u, [(a, kept[a]) for a, b in jumps if b == n]
        kept[n] = u
        needed = {a for a, b in jumps if b > n}
        kept = {k: v for k, v in kept.items() if k in needed}


def _states(run: Run, data: Data) -> Iterator[Array]:
    """The run's states, read some MiB at a time."""
    together = max(1, PIECE // (4 * len(data.fields) * int(np.prod(run.shape))))
    for start in range(0, len(run), together):
        indices = range(start, min(start + together, len(run)))
        yield from read_states(run, indices, data, checked=False)


def block_means(u: Array) -> Array:
    """A state (P, ny, nx) as (P, ≤16, ≤16): means over blocks, so that no two are farther apart than the states."""
    ny, nx = u.shape[-2:]
    by, bx = -(-ny // SIGNATURE), -(-nx // SIGNATURE)
    whole = u[:, : ny // by * by, : nx // bx * bx]
    blocks = whole.reshape(len(u), ny // by, by, nx // bx, bx)
    return np.asarray(blocks.mean((2, 4), dtype=np.float64).astype(np.float32))
