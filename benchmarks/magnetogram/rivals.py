"""The solver as a rival: one jump of the whole map from a true frame, at half resolution or at full."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pipeline import CELLS, FIRST_HARP, HOURS, LATITUDES, SIZE, SOLVER, Folders
from surrogate_training.evaluation.baselines import Case

from surrogate.io.frames import open_frames

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "solvers" / "flux_transport"))
from intervals import prolong, solver_jump

Frame = NDArray[np.float32]

PATCHES = CELLS[0] * CELLS[1] / SIZE**2
"""Regions that a whole map holds: what the solver's time for it is divided by."""


class HalfResolution:
    """Frames at t2 of the solver on half the cells a side, prolonged to the full grid.

    Whole maps are made when a region first asks for their time, and kept.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.maps: dict[tuple[int, int], Frame] = {}
        with open_frames(min(folders.cubes.glob("*.fits"))) as first:
            self.start = first.times()[0]

    def __call__(self, case: Case) -> Frame:
        """The frame (1, ny, nx) of br that follows a pair's first."""
        with open_frames(self.folders.cubes / case.file) as cube:
            header, hours = cube.constants, cube.times()[0]
        seed = max(s for s, first in FIRST_HARP.items() if first <= header["HARPNUM"])
        index = round((hours - self.start) / HOURS)
        if (seed, index) not in self.maps:
            half, _ = jump(self.folders.frames(seed), index, refinement=2)
            self.maps[seed, index] = prolong(half).astype(np.float32)  # (ny, nx)
        x, y = (
            header[f"CRVAL{k}"] + (0.5 - header[f"CRPIX{k}"]) * header[f"CDELT{k}"] for k in (1, 2)
        )
        column, row = round(x / header["CDELT1"]), round((y - LATITUDES[0]) / header["CDELT2"])
        return self.maps[seed, index][None, row : row + SIZE, column : column + SIZE]


def jump(frames: Path, index: int, *, refinement: int) -> tuple[NDArray[np.float64], float]:
    """The whole map one jump after frame `index`, on 1/`refinement` of the cells a side, and its seconds."""
    nx, ny = (n // refinement for n in CELLS)
    began = time.perf_counter()
    after = solver_jump(SOLVER, frames, index, HOURS, (ny, nx))
    return after, time.perf_counter() - began


def seconds_per_patch(folders: Folders, *, repeats: int = 5) -> dict[str, dict[str, float]]:
    """Median, least and greatest seconds of a jump of one region, at full and half resolution in turns, one core.

    A run of two frames steps through one interval and evaluates the flow of a second; its start and files count.
    """
    frames = folders.frames(min(FIRST_HARP))
    taken: dict[str, list[float]] = {"full": [], "half": []}
    for index in range(repeats):
        for name, refinement in (("full", 1), ("half", 2)):
            taken[name].append(jump(frames, index, refinement=refinement)[1] / PATCHES)
    return {
        name: {"median": statistics.median(t), "least": min(t), "greatest": max(t)}
        for name, t in taken.items()
    }
