"""Toy distributions that every generative method must learn, and how far from the truth each comes.

``python benchmarks/generative/toys.py`` trains a GAN, DDPM, flow matching and a diffusion transformer through the
package's own trainer, on two cores a few minutes each, and writes ``benchmarks/results/toys.json`` and ``toys.png``.

A density in the plane is a data set of two fields, every cell an independent draw: frames have few cells, because a net
must learn that their neighbours mean nothing. A texture is a data set of whole frames. Frames follow each other
independently, so the state at t1 tells nothing, and the density is all there is to learn. The measure is the energy
distance (Székely & Rizzo 2013) between draws of the model and fresh draws of the truth, in units of that between a
Gaussian of the right mean and covariance and the truth: 1 means that nothing but two moments was learnt, and 0, up to
chance, the distribution itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
DRAWS, WHOLE_DRAWS = 2048, 1024
"""Rows that are compared with as many of the truth: cells, and whole frames."""
TRAINING, WHOLE_TRAINING = 2**17, 2**13
"""Rows of a training set."""


@dataclass(frozen=True)
class Toy:
    """A distribution.

    Attributes
    ----------
    fields : tuple of str
        Of a frame.
    shape : tuple of int
        Cells of a frame, ny and nx.
    draw : callable
        (generator, count) → rows (count, len(fields)), a cell each, or with ``whole`` (count, ny nx), a frame each.
    whole : bool
        Whether frames are drawn, not cells.
    """

    fields: tuple[str, ...]
    shape: tuple[int, int]
    draw: Draw
    whole: bool = False

    @property
    def cells(self) -> int:
        """Of a frame."""
        return self.shape[0] * self.shape[1]

    def frames(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Frames (count, C, ny, nx)."""
        if self.whole:
            return self.draw(rng, count).reshape(count, 1, *self.shape).astype(np.float32)
        rows = self.draw(rng, count * self.cells)  # (count ny nx, C)
        return np.moveaxis(rows.reshape(count, *self.shape, -1), 3, 1).astype(np.float32)

    def rows(self, frames: Array) -> Array:
        """Frames (B, C, ny, nx) → what is compared: (B ny nx, C) or (B, ny nx)."""
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


def waves(rng: np.random.Generator, count: int, cells: int = 8) -> Array:
    """One plane wave a frame, of any phase and one of four directions: (count, cells²)."""
    turns = np.array([(0, 1), (1, 0), (1, 1), (1, -1)])[rng.integers(4, size=count)]
    y, x = np.mgrid[:cells, :cells] * 2 * np.pi / cells
    phase = turns[:, 0, None, None] * y + turns[:, 1, None, None] * x  # (count, cells, cells)
    shift = 2 * np.pi * rng.random((count, 1, 1))
    return np.cos(phase + shift).reshape(count, -1)


TOYS = {
    "eight_gaussians": Toy(("u", "v"), (1, 2), eight_gaussians),
    "two_moons": Toy(("u", "v"), (1, 2), two_moons),
    "waves": Toy(("u",), (8, 8), waves, whole=True),
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
    covariance = np.atleast_2d(np.cov(truth.T))
    fit = rng.multivariate_normal(truth.mean(0), covariance, len(truth), method="eigh")
    return energy_distance(rows, truth) / energy_distance(fit, truth)


def _count(toy: Toy) -> int:
    """Frames that are compared."""
    return WHOLE_DRAWS if toy.whole else DRAWS // toy.cells


def _training_count(toy: Toy) -> int:
    """Frames of a training set."""
    return WHOLE_TRAINING if toy.whole else TRAINING // toy.cells


@dataclass(frozen=True)
class Learner:
    """A method and its net.

    Attributes
    ----------
    changes : dict
        Sections of the recipe.
    toys : tuple of str
        What it is trained on.
    shape : tuple of int, optional
        Cells of a density's frame, where not the toy's own: what the net halves so many times.
    """

    changes: dict[str, Any]
    toys: tuple[str, ...] = ("eight_gaussians", "two_moons")
    shape: tuple[int, int] | None = None

    def toy(self, name: str) -> Toy:
        """As this learner is shown it."""
        toy = TOYS[name]
        return replace(toy, shape=self.shape) if self.shape and not toy.whole else toy


LOCAL = {
    "features": ["u"],
    "stem": 1,
    "widths": [64],
    "encoder_blocks": [3],
    "decoder_blocks": [],
}
"""A net of one level, without anything to halve."""
ADAM = {"steps": 1800, "batch": 256, "learning_rate": 3e-3, "warmup": 50, "ema": 0.98}
SAMPLER = {"kind": "dpmpp_2m", "steps": [20], "preset": 20}
GAN = {
    "model": {"kind": "unet", "levels": 4, "base": 32, "norm": "none", "dropout": "noise"},
    "method": {
        "kind": "pix2pix",
        "lambda_l1": 0.0,
        "r1": 0.3,
        "discriminator": {"layers": 0, "base": 128, "norm": "none"},
    },
    "optimiser": {
        "kind": "adam",
        "steps": 1000,
        "batch": 4,
        "learning_rate": 2e-3,
        "betas": [0.0, 0.99],
        "weight_decay": 0.0,
        "clip": 1e9,
        "warmup": 50,
        "ema": 0.995,
    },
}
"""The adversarial part of pix2pix alone, its dropout the noise; the discriminator judges single cells."""
DIT = {
    "model": {"kind": "dit", "patch": 2, "width": 64, "depth": 3, "heads": 2},
    "method": {"kind": "flow"},
    "sampler": SAMPLER,
    "optimiser": {**ADAM, "steps": 1200, "batch": 64},
}


def _diffusion(kind: str) -> dict[str, Any]:
    """Of a method that takes noise off."""
    return {"model": LOCAL, "method": {"kind": kind}, "sampler": SAMPLER, "optimiser": ADAM}


LEARNERS = {
    "gan": Learner(GAN, shape=(16, 16)),
    "ddpm": Learner(_diffusion("ddpm")),
    "flow": Learner(_diffusion("flow")),
    "dit": Learner(DIT, toys=("waves",)),
}


def learn(
    toy: Toy,
    learner: Learner,
    folder: Path,
    *,
    frames: int | None = None,
    steps: int | None = None,
    threads: int = 2,
) -> RunFolder:
    """Train on so many fresh frames, for so many steps; by default the toy's and the learner's."""
    toy.write(folder / "data", count=frames or _training_count(toy))
    tree = {
        "name": "toy",
        "data": {
            "path": "data",
            "fields": [{"name": name} for name in toy.fields],
            "split": {"validation": 0, "test": 0},
            "augment": {"translate": False, "dihedral": False},
        },
        "run": {"threads": threads, "log_every": 500, "checkpoint_every": 100_000},
        **learner.changes,
    }
    tree["model"] = {"target": "frame", **tree["model"]}
    tree["optimiser"] = {**tree["optimiser"], **({"steps": steps} if steps else {})}
    run = RunFolder(folder / "run")
    Trainer(parse_recipe(tree), run, root=folder).train()
    return run


@torch.no_grad()
def sample(toy: Toy, run: RunFolder, *, seed: int = 1) -> Array:
    """Draws of what a run has learnt, given fresh frames at t1."""
    model, _ = run.model()
    scaling = Scaling(run.recipe(), run.statistics())
    states = torch.from_numpy(toy.frames(np.random.default_rng(seed), _count(toy)))
    torch.manual_seed(seed)
    x = scaling.normalise(states)
    drawn = scaling.frame(states, model(x, *model.more_inputs(x, None)))
    return toy.rows(drawn.double().numpy())


def measure(name: str, toy_name: str, *, threads: int) -> tuple[dict[str, Any], Array]:
    """Train and compare: a row of the result, and the draws."""
    toy = LEARNERS[name].toy(toy_name)
    with tempfile.TemporaryDirectory() as folder:
        began, busy = time.perf_counter(), time.process_time()
        run = learn(toy, LEARNERS[name], Path(folder), threads=threads)
        elapsed, used = time.perf_counter() - began, time.process_time() - busy
        rows = sample(toy, run)
        parameters = sum(p.numel() for p in run.model()[0].parameters())
    # a second set of the truth says what chance alone makes of the measure
    floor = toy.rows(np.asarray(toy.frames(np.random.default_rng(20), _count(toy)), np.float64))
    return {
        "toy": toy_name,
        "method": name,
        "distance": round(relative_distance(toy, rows), 4),
        "distance_of_truth": round(relative_distance(toy, floor), 4),
        "net": LEARNERS[name].changes["model"].get("kind", "residual_unet"),
        "parameters": parameters,
        "seconds": round(elapsed, 1),
        "cpu_seconds": round(used, 1),
    }, rows


def main() -> None:
    """Train, print, save and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*LEARNERS], choices=[*LEARNERS])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder for toys.json and toys.png"
    )
    arguments = parser.parse_args()
    made = {}
    for name in arguments.only:
        for toy_name in LEARNERS[name].toys:
            made[name, toy_name] = row, _ = measure(name, toy_name, threads=arguments.threads)
            print(json.dumps(row), flush=True)
    result = {
        "measure": "energy distance to the truth over that of a Gaussian fit",
        "draws": {"cells": DRAWS, "frames": WHOLE_DRAWS},
        "threads": arguments.threads,
        "rows": [row for row, _ in made.values()],
        "environment": provenance(ROOT, packages=("surrogate", "torch", "numpy")),
    }
    (arguments.out / "toys.json").write_text(json.dumps(result, indent=2) + "\n")
    draw_picture({pair: rows for pair, (_, rows) in made.items()}, arguments.out / "toys.png")


def draw_picture(drawn: dict[tuple[str, str], Array], path: Path) -> None:
    """The truth of each toy beside what each method has learnt of it."""
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    columns = [name for name in LEARNERS if any(name == method for method, _ in drawn)]
    lines = [name for name in TOYS if any(name == toy for _, toy in drawn)]
    figure, axes = plt.subplots(
        len(lines),
        1 + len(columns),
        figsize=(2.2 * (1 + len(columns)), 2.3 * len(lines)),
        squeeze=False,
        layout="constrained",
    )
    for line, toy_name in zip(axes, lines, strict=True):
        toy = TOYS[toy_name]
        truth = toy.rows(np.asarray(toy.frames(np.random.default_rng(1), _count(toy)), np.float64))
        shown = {"truth": truth} | {
            n: drawn[n, toy_name] for n in columns if (n, toy_name) in drawn
        }
        for axis, name in zip(line, ("truth", *columns), strict=True):
            axis.set(xticks=[], yticks=[])
            if name not in shown:
                axis.axis("off")
                continue
            axis.set_title(f"{toy_name.replace('_', ' ')}: {name}", fontsize=8)
            if toy.whole:
                frames = shown[name][:16].reshape(4, 4, *toy.shape)
                axis.imshow(
                    np.block([list(row) for row in frames]), vmin=-1.2, vmax=1.2, cmap="RdBu"
                )
            else:
                axis.hist2d(*shown[name].T, bins=64, range=[[-2.5, 2.5]] * 2, cmap="magma")
                axis.set_aspect("equal")
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
