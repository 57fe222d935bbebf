"""Toy distributions that every generative method must learn, and how far from the truth each comes.

``python benchmarks/generative/toys.py`` trains a GAN, DDPM, flow matching and a diffusion transformer through the
package's own trainer, on two cores a few minutes each, and writes ``benchmarks/results/toys.json`` and ``toys.png``.

A density in the plane is a data set of two fields: every cell of every frame is an independent draw. A texture is one
of whole frames. Frames follow each other independently, so the state at t1 tells nothing, and the density is all there
is to learn. The measure is the energy distance (Székely & Rizzo 2013) between draws of the model and fresh draws of the
truth, in units of that between a Gaussian of the right mean and covariance and the truth: 1 means that nothing but two
moments was learnt, and 0, up to chance, the distribution itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from surrogate_training.models.scaling import Scaling
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

from surrogate.environment.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]
ROWS = 4096
"""Draws that are compared with as many of the truth."""


@dataclass(frozen=True)
class Toy:
    """A distribution.

    Attributes
    ----------
    fields : tuple of str
        Of a frame.
    cells : int
        Along each axis of a frame.
    draw : callable
        (generator, count) → rows (count, len(fields)), a cell each, or with ``whole`` (count, cells²), a frame each.
    whole : bool
        Whether frames are drawn, not cells.
    """

    fields: tuple[str, ...]
    cells: int
    draw: Draw
    whole: bool = False

    def frames(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Frames (count, C, cells, cells)."""
        n = self.cells
        if self.whole:
            return self.draw(rng, count).reshape(count, 1, n, n).astype(np.float32)
        rows = self.draw(rng, count * n * n)  # (count cells², C)
        return np.moveaxis(rows.reshape(count, n, n, -1), 3, 1).astype(np.float32)

    def rows(self, frames: Array) -> Array:
        """Frames (B, C, cells, cells) → what is compared: (B cells², C) or (B, cells²)."""
        if self.whole:
            return frames.reshape(len(frames), -1)
        return np.moveaxis(frames, 1, 3).reshape(-1, frames.shape[1])

    def write(self, folder: Path, *, count: int, seed: int = 0) -> None:
        """A data set of one trajectory."""
        folder.mkdir(parents=True)
        frames = self.frames(np.random.default_rng(seed), count)
        with h5py.File(folder / "trajectory_0.h5", "w") as file:
            for c, name in enumerate(self.fields):
                file[name] = frames[:, c]
            file["time"] = np.arange(count, dtype=float)
            file.attrs.update({"lx": 1.0, "ly": 1.0})


def eight_gaussians(rng: np.random.Generator, count: int) -> Array:
    """Narrow ones around a circle."""
    angle = rng.integers(8, size=count) * np.pi / 4
    centres = np.stack([np.cos(angle), np.sin(angle)], 1)
    return 1.5 * centres + 0.12 * rng.standard_normal((count, 2))


def two_moons(rng: np.random.Generator, count: int) -> Array:
    """Two half circles that reach into each other."""
    angle = np.pi * rng.random(count)
    moon = rng.integers(2, size=count)
    x = np.where(moon, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(moon, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    return np.stack([1.2 * x, 2 * y], 1) + 0.08 * rng.standard_normal((count, 2))


def checkerboard(rng: np.random.Generator, count: int) -> Array:
    """Uniform on the black squares of a board of 4×4."""
    column = rng.integers(4, size=count)
    row = 2 * rng.integers(2, size=count) + column % 2
    return np.stack([column, row], 1) - 2 + rng.random((count, 2))


def waves(rng: np.random.Generator, count: int, cells: int = 8) -> Array:
    """One plane wave a frame, of any phase and one of four directions: (count, cells²)."""
    turns = np.array([(0, 1), (1, 0), (1, 1), (1, -1)])[rng.integers(4, size=count)]
    y, x = np.mgrid[:cells, :cells] * 2 * np.pi / cells
    phase = turns[:, 0, None, None] * y + turns[:, 1, None, None] * x  # (count, cells, cells)
    shift = 2 * np.pi * rng.random((count, 1, 1))
    return np.cos(phase + shift).reshape(count, -1)


TOYS = {
    "eight_gaussians": Toy(("u", "v"), 16, eight_gaussians),
    "two_moons": Toy(("u", "v"), 16, two_moons),
    "checkerboard": Toy(("u", "v"), 16, checkerboard),
    "waves": Toy(("u",), 8, waves, whole=True),
}


def energy_distance(a: Array, b: Array) -> float:
    """2 E|a - b| - E|a - a'| - E|b - b'|, without bias: 0 on average if the distributions are the same."""

    def mean(one: Array, other: Array) -> float:
        return float(torch.cdist(torch.from_numpy(one), torch.from_numpy(other)).mean())

    # of n² pairs n are a row with itself
    within = [mean(x, x) * len(x) / (len(x) - 1) for x in (a, b)]
    return 2 * mean(a, b) - sum(within)


def relative_distance(toy: Toy, rows: Array, *, seed: int = 10) -> float:
    """Energy distance from the truth over that of a Gaussian fit."""
    rng = np.random.default_rng(seed)
    truth = toy.rows(np.asarray(toy.frames(rng, _count(toy)), np.float64))
    fit = rng.multivariate_normal(truth.mean(0), np.cov(truth.T), len(truth), method="eigh")
    return energy_distance(rows, truth) / energy_distance(fit, truth)


def _count(toy: Toy) -> int:
    """Frames that give ROWS rows."""
    return ROWS if toy.whole else ROWS // toy.cells**2
