"""Several processes learn what one learns from the same batches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training import checkpoint
from surrogate_training.config import Recipe
from surrogate_training.data.prefetch import Share
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from surrogate_training.trainer.gradients import Gradients

Make = Callable[..., Any]
TINY = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


def recipe_of(make_recipe: Make, **changes: int) -> Recipe:
    settings = {"steps": 8, "warmup": 2, "shards": 1} | changes
    run = {"threads": 1, "log_every": 2, "validate_every": 4, "checkpoint_every": 4}
    return make_recipe(model=TINY, optimiser=settings, run=run)


def test_gradients_of_the_processes_add_up_to_those_of_the_batch(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(make_recipe)
    trainer = Trainer(recipe, RunFolder(tmp_path), root=data_root)

    def gradients(share: Share) -> list[torch.Tensor]:
        computed = Gradients(trainer.method, recipe, share, trainer.processes)
        rounds = share.rounds_of(trainer.source, 0)
        computed.of("generator", 0, rounds, {}, batch=trainer.source.batch)
        return [p.grad.clone() for p in trainer.model.parameters()]

    parts = [gradients(Share(process=n, processes=2)) for n in range(2)]
    for whole, one, other in zip(gradients(Share()), *parts, strict=True):
        torch.testing.assert_close(one + other, whole, rtol=1e-4, atol=1e-6)


@pytest.mark.full
def test_two_processes_train_as_one_does_and_resume(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(make_recipe)
    one, two = RunFolder(tmp_path / "one"), RunFolder(tmp_path / "two")
    Trainer(recipe, one, root=data_root).train()
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe.model_dump_json())
    launch(data_root, file, "--out", two.path, "--set", "optimiser.steps=8")
    assert json.loads((two.path / "environment.json").read_text())["processes"] == 2
    compare(one, two)
    two.final_checkpoint.unlink()
    launch(data_root, file, "--out", two.path, "--resume")
    compare(one, two)


def launch(root: Path, *arguments: object) -> None:
    """As users do."""
    surrogate = Path(sys.executable).with_name("surrogate")
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    command += ["--no-python", surrogate, "train", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*map(str, command), "--root", str(root)],
        capture_output=True,
        text=True,
        timeout=180,
        env=environment,
    )
    assert done.returncode == 0, done.stderr


def compare(one: RunFolder, two: RunFolder) -> None:
    a, b = (checkpoint.load(run.final_checkpoint).average for run in (one, two))
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=1e-3, atol=2e-5)
    losses = [
        [line["loss" if "loss" in line else "error"] for line in map(json.loads, lines)]
        for lines in (
            [x for x in run.metrics_file.read_text().splitlines() if '"resources"' not in x]
            for run in (one, two)
        )
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
