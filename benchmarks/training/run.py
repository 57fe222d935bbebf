"""What the trainer costs: its input pipeline against tensors in memory, its step against a bare PyTorch loop.

``python benchmarks/training/run.py`` trains each recipe whose data set is there and writes
``benchmarks/results/training_<cpu>.json``. Four loops take turns, a block of steps each, on the same model, batch size,
optimiser, precision and threads:

- ``bare``       forward, loss, backward, clipping, ``AdamW.step``; one batch in memory
- ``ours``       the trainer's step (with its average of weights); the same batch in memory
- ``pipeline``   the trainer's step on training batches: read, augmented, noised, stacked
- ``files``      the same, each pair read from its file by a worker process, nothing kept in memory

A ratio is formed from neighbouring blocks; the figure is the median over rounds, with its quartiles.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from surrogate_training.config import Recipe
from surrogate_training.data.prefetch import Rounds, prefetch
from surrogate_training.methods.method import GENERATOR
from surrogate_training.recipe import load_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from surrogate_training.trainer.optimisers import make_optimiser

from surrogate.environment.machine import cpu_slug
from surrogate.environment.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "training" / "recipes"
CASES = {
    # enough trajectories that pairs differ; the whole set only takes longer to open
    "mhd2d_128": (
        "data.pattern=trajectory_0000[0-3]*.h5",
        "data.split.validation=1",
        "data.split.test=1",
    ),
    "magnetogram_regression": (),
}
"""Recipes of regressions, and what is changed of them; one whose data is missing is left out."""
TARGETS = {"pipeline_over_synthetic": 0.95, "step_over_bare": 1.10}
WORKERS = 1
Loop = Callable[[int], None]


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="blocks of each loop")
    parser.add_argument("--steps", type=int, default=4, help="steps a block")
    parser.add_argument("--threads", type=int, help="as the recipe says if absent")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--only", nargs="*", default=[*CASES], help="names of recipes")
    parser.add_argument("--root", type=Path, default=ROOT, help="what data.path is relative to")
    parser.add_argument(
        "--out", type=Path, help="JSON file; benchmarks/results/training_<cpu>.json if absent"
    )
    arguments = parser.parse_args()
    recipes = {name: measure(name, arguments) for name in arguments.only if there(name, arguments)}
    if not recipes:
        parser.error("no recipe's data set is there: surrogate train makes that of mhd2d_128")
    result: dict[str, Any] = {
        "pipeline_over_synthetic": min(r["pipeline_over_synthetic"] for r in recipes.values()),
        "step_over_bare": max(r["step_over_bare"] for r in recipes.values()),
        "targets": TARGETS,
        "recipes": recipes,
        "rounds": arguments.rounds,
        "steps_a_block": arguments.steps,
        "device": arguments.device,
        "environment": provenance(ROOT, packages=("surrogate", "torch", "accelerate", "numpy")),
    }
    out = arguments.out or ROOT / "benchmarks" / "results" / f"training_{cpu_slug()}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    print(f"saved {out}")


def recipe_of(name: str, arguments: argparse.Namespace, **changes: object) -> Recipe:
    """The recipe on one shard, so that all loops use threads alike."""
    given = {"optimiser.shards": 1, "run.device": arguments.device, **changes}
    if arguments.threads:
        given["run.threads"] = arguments.threads
    overrides = (*CASES[name], *(f"{key}={json.dumps(value)}" for key, value in given.items()))
    return load_recipe(RECIPES / f"{name}.yaml", overrides=overrides)


def there(name: str, arguments: argparse.Namespace) -> bool:
    """Whether a recipe's data set has been made."""
    if not (RECIPES / f"{name}.yaml").is_file():
        return False
    data = recipe_of(name, arguments).data
    folder = arguments.root / data.path
    wanted = data.pattern if data.pairs is None else data.pairs.train
    return any(folder.glob(wanted))


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """All loops on one recipe, in turns."""
    recipe = recipe_of(name, arguments)
    lazy = recipe_of(name, arguments, **{"data.cached": False})
    with tempfile.TemporaryDirectory() as scratch:
        trainer, other = (
            Trainer(r, RunFolder(Path(scratch) / f"run{n}"), root=arguments.root)
            for n, r in enumerate((recipe, lazy))
        )
        fixed = trainer.share.rounds_of(trainer.source, 0)
        loops = {
            "bare": bare(recipe, trainer, fixed),
            "ours": stepping(trainer, repeat(fixed)),
            "pipeline": stepping(trainer, batches(trainer, workers=0)),
            "files": stepping(other, batches(other, workers=WORKERS)),
        }
        seconds = in_turns(loops, arguments)
    step, pipeline, files = (
        seconds["ours"] / seconds["bare"],
        seconds["ours"] / seconds["pipeline"],
        seconds["ours"] / seconds["files"],
    )
    return {
        "step_over_bare": median(step),
        "step_over_bare_quartiles": quartiles(step),
        "pipeline_over_synthetic": median(pipeline),
        "pipeline_over_synthetic_quartiles": quartiles(pipeline),
        "files_over_synthetic": median(files),
        "files_over_synthetic_quartiles": quartiles(files),
        "seconds_a_step": {name: median(found) for name, found in seconds.items()},
        "batch": trainer.source.batch,
        "cells": list(trainer.statistics.shape),
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "precision": recipe.optimiser.precision,
        "threads": recipe.run.threads,
        "workers_of_files": WORKERS,
    }


def in_turns(loops: dict[str, Loop], arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """Seconds a step of each loop, by round; the first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(arguments.rounds + 1):
        for name, loop in loops.items():
            begin = time.perf_counter()
            loop(arguments.steps)
            if number > 0:
                seconds[name].append((time.perf_counter() - begin) / arguments.steps)
    return {name: np.array(found) for name, found in seconds.items()}


def batches(trainer: Trainer, *, workers: int) -> Iterator[Rounds]:
    """Training batches without end."""
    pinned = trainer.processes.device.type == "cuda"
    steps = range(1_000_000)
    return prefetch(trainer.source, steps, trainer.share, workers=workers, pinned=pinned)


def stepping(trainer: Trainer, ahead: Iterator[Rounds]) -> Loop:
    """The trainer's step on what an iterator yields."""

    def run(steps: int) -> None:
        for _ in range(steps):
            trainer.advance(next(ahead))
        synchronise(trainer.processes.device)

    return run


def bare(recipe: Recipe, trainer: Trainer, fixed: Rounds) -> Loop:
    """What one would write by hand around the same method."""
    config, device = recipe.optimiser, trainer.processes.device
    method = type(trainer.method)(recipe, trainer.statistics).to(device)
    network = method.networks[GENERATOR]
    optimiser = make_optimiser(network, config, rate=config.learning_rate)
    batch = fixed[0][0]

    def run(steps: int) -> None:
        for step in range(steps):
            with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
                context = method.prepare(batch.to(device), step=step)
                loss = method.loss(GENERATOR, context, step=step)
            optimiser.zero_grad()
            loss.total.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            optimiser.step()
        synchronise(device)

    return run


def synchronise(device: torch.device) -> None:
    """Wait for what a GPU has still to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median(values: np.ndarray) -> float:
    """Rounded to what means something."""
    return round(float(np.median(values)), 4)


def quartiles(values: np.ndarray) -> list[float]:
    """The first and the third."""
    return [round(float(q), 4) for q in np.quantile(values, [0.25, 0.75])]


if __name__ == "__main__":
    main()
