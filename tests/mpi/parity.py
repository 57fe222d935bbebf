"""Predictions by one process and by ranks, many in one job, and how far their frames are apart."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mpirun import mpirun
from parity_nets import KINDS

Box = tuple[tuple[int, ...], tuple[int, ...]]
"""First cell and shape."""


def lattice(domain: Sequence[int], parts: Sequence[int], *, uneven: bool = False) -> list[Box]:
    """Blocks of a lattice; uneven ones grow along each axis as 1 : 2 : 3 and begin on odd cells where they can."""

    def cuts(cells: int, count: int) -> list[int]:
        weights = range(1, count + 1) if uneven else [1] * count
        total = sum(weights)
        inner = [cells * sum(weights[:k]) // total for k in range(1, count)]
        return [0, *(cut | 1 if uneven else cut for cut in inner), cells]

    axes = [cuts(cells, count) for cells, count in zip(domain, parts, strict=True)]
    spans = [list(itertools.pairwise(axis)) for axis in axes]
    return [
        (tuple(low for low, _ in box), tuple(high - low for low, high in box))
        for box in itertools.product(*spans)
    ]


def bricks(domain: Sequence[int]) -> list[Box]:
    """Four blocks of two rows that are cut at different places along the last axis."""
    *rest, ny, nx = domain
    y, left, right = ny // 2 | 1, nx // 3 | 1, 2 * nx // 3 | 1
    spans = [(0, y, 0, left), (0, y, left, nx), (y, ny, 0, right), (y, ny, right, nx)]
    zeros = (0,) * len(rest)
    return [((*zeros, a, c), (*rest, b - a, d - c)) for a, b, c, d in spans]


def pinwheel(domain: Sequence[int]) -> list[Box]:
    """Four blocks around a fifth, cut along the last two axes: no lattice, no block has one neighbour a side."""
    *rest, ny, nx = domain
    y, x = ny // 3 | 1, nx // 3 | 1
    planes = [
        ((0, 0), (y, nx - x)),
        ((0, nx - x), (ny - y, x)),
        ((ny - y, x), (y, nx - x)),
        ((y, 0), (ny - y, x)),
        ((y, x), (ny - 2 * y, nx - 2 * x)),
    ]
    zeros = (0,) * len(rest)
    return [((*zeros, *low), (*rest, *shape)) for low, shape in planes]


@dataclass(frozen=True)
class Case:
    """One prediction."""

    kind: str
    precision: str = "fp32"
    mode: str = "serial"
    blocks: tuple[Box, ...] = ()
    dtype: str = "float64"
    tile: tuple[int, ...] = ()
    threads: int = 1

    @property
    def ranks(self) -> int:
        """Of the communicator; one for the serial reference."""
        return max(len(self.blocks), 1)

    @property
    def channels(self) -> int:
        """Of a frame of the state."""
        return (4 if self.precision == "fp64" else 2) + KINDS[self.kind].condition

    @property
    def serial(self) -> Case:
        """What it is compared with."""
        return Case(self.kind, self.precision, dtype=self.dtype)

    def line(self, bundle: Path, state: Path, output: Path) -> str:
        """For the programs that predict (parity.c says how)."""
        domain = KINDS[self.kind].domain
        blocks = self.blocks or (((0,) * len(domain), domain),)
        numbers = [*_padded(domain, 1), *_padded(self.tile, 0)]
        for low, shape in blocks:
            numbers += [*_padded(low, 0), *_padded(shape, 1)]
        words = [bundle, self.mode, state, output, self.dtype, self.ranks, self.threads, *numbers]
        return " ".join(map(str, words))


def _padded(values: Sequence[int], unused: int) -> list[int]:
    return [unused] * (3 - len(values)) + list(values)


class Answer(NamedTuple):
    """What rank 0 was told, and the frame of the whole domain."""

    status: str
    reason: str
    rank: int
    mode: str
    tiles: int
    received: int
    minimum: int
    frame: np.ndarray
    """Shape (C, …)."""

    @property
    def digest(self) -> str:
        """SHA-256 of the frame."""
        return hashlib.sha256(np.ascontiguousarray(self.frame).tobytes()).hexdigest()


class Jobs:
    """Runs cases in `folder` with bundles from `bundles`, which maps (kind, precision) to a path."""

    def __init__(
        self, folder: Path, bundles: dict[tuple[str, str], Path], environment: dict[str, str]
    ) -> None:
        self.folder, self.bundles, self.environment = folder, bundles, environment
        self.answers: dict[Case, Answer] = {}

    def run(self, program: Sequence[str | Path], cases: Sequence[Case], *, timeout: float) -> None:
        """One job for all cases, as many ranks as the largest asks for."""
        ranks = max(case.ranks for case in cases)
        lines = [
            case.line(
                self.bundles[case.kind, case.precision], self._state(case), self._output(number)
            )
            for number, case in enumerate(cases)
        ]
        listed, answers = self.folder / "cases", self.folder / "answers"
        listed.write_text("\n".join(lines) + "\n")
        command = [*program, listed, answers]
        done = mpirun(command, ranks, timeout=timeout, environment=self.environment)
        said = answers.read_text().splitlines()
        assert len(said) == len(cases), done.stderr
        for number, (case, line) in enumerate(zip(cases, said, strict=True)):
            status, reason, rank, mode, *counts = line.split()
            frame = self._frame(case, number)
            self.answers[case] = Answer(status, reason, int(rank), mode, *map(int, counts), frame)

    def increments(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Of one process and of the ranks, shape (2, …): the two parts of a float64 number are added."""
        now = np.fromfile(self._state(case), case.dtype).reshape(-1, *KINDS[case.kind].domain)
        serial, ranks = (self.answers[c].frame - now[: case.channels] for c in (case.serial, case))
        if case.precision == "fp64":
            return serial[:2] + serial[2:4], ranks[:2] + ranks[2:4]
        return serial[:2], ranks[:2]

    def difference(self, case: Case) -> float:
        """Largest difference of the ranks' frame from that of one process, over the increment's maximum."""
        serial, ranks = self.increments(case)
        return float(np.abs(ranks - serial).max() / np.abs(serial).max())

    def _output(self, number: int) -> Path:
        return self.folder / f"frame{number}"

    def _state(self, case: Case) -> Path:
        """The input of a case: noise on waves, written once."""
        kind = KINDS[case.kind]
        shape = (kind.history * case.channels, *kind.domain)
        path = self.folder / f"state_{'x'.join(map(str, shape))}.{case.dtype}"
        if not path.exists():
            random = np.random.default_rng(len(shape))
            waves = sum(np.sin(0.3 * axis) for axis in np.indices(kind.domain))
            state = 0.5 + waves + random.normal(size=shape)
            state.astype(case.dtype).tofile(path)
        return path

    def _frame(self, case: Case, number: int) -> np.ndarray:
        domain = KINDS[case.kind].domain
        frame = np.full((case.channels, *domain), np.nan, case.dtype)
        blocks = case.blocks or (((0,) * len(domain), domain),)
        for rank, (low, shape) in enumerate(blocks):
            path = Path(f"{self._output(number)}.{rank}")
            here = tuple(slice(a, a + n) for a, n in zip(low, shape, strict=True))
            frame[(slice(None), *here)] = np.fromfile(path, case.dtype).reshape(-1, *shape)
            path.unlink()
        return frame
