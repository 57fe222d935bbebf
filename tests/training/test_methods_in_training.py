"""Methods in the trainer's hands: several networks, several jumps, parts of a batch, resuming."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training import checkpoint
from surrogate_training.recipe import load_recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

Make = Callable[..., Any]
SMOKE = Path(__file__).resolve().parents[2] / "training" / "recipes" / "smoke_pix2pix.yaml"
SHORT = ("run.threads=1", "run.log_every=1", "run.validate_every=100", "model.base=4")


def train(run: RunFolder, root: Path, *overrides: str, until: int | None = None) -> RunFolder:
    recipe = load_recipe(SMOKE, overrides=SHORT + overrides)
    Trainer(recipe, run, root=root, resume=until is None).train(until=until)
    return run


def rows(run: RunFolder) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    return [line for line in lines if line["kind"] == "train"]


def test_resumed_adversarial_training_ends_in_the_same_bits(
    data_root: Path, tmp_path: Path
) -> None:
    options = (
        "optimiser.steps=5",
        "method.l1_warmup=1",
        "method.discriminator.spectral_norm=true",
        "model.dropout=training",
    )
    whole = train(RunFolder(tmp_path / "whole"), data_root, *options)
    parts = train(RunFolder(tmp_path / "parts"), data_root, *options, until=3)
    torch.manual_seed(99)  # the global generator must not matter
    train(parts, data_root, *options)
    a, b = (checkpoint.load(run.final_checkpoint) for run in (whole, parts))
    assert a.networks.keys() == {"generator", "discriminator"}
    for name, tensors in (a.networks | {"average": a.average}).items():
        others = (b.networks | {"average": b.average})[name]
        assert all(torch.equal(tensor, others[key]) for key, tensor in tensors.items()), name


def test_the_log_names_each_networks_losses_once_it_takes_part(
    data_root: Path, tmp_path: Path
) -> None:
    options = ("optimiser.steps=2", "method.l1_warmup=1", "method.r1=1")
    first, second = rows(train(RunFolder(tmp_path), data_root, *options))
    assert "g_l1" in first
    assert not any(name.startswith("discriminator") or name == "g_gan" for name in first)
    of_d = {f"discriminator.{n}" for n in ("loss", "d_real", "d_fake", "d_right", "r1", "norm")}
    assert of_d | {"loss", "g_l1", "g_gan"} <= second.keys()


def test_a_batch_in_parts_has_the_losses_of_the_whole(data_root: Path, tmp_path: Path) -> None:
    """Nets without batch statistics; contexts are then made once a phase instead of once a step."""
    options = ("optimiser.steps=1", "model.norm=instance", "method.discriminator.norm=none")
    (whole,) = rows(train(RunFolder(tmp_path / "whole"), data_root, *options))
    (parts,) = rows(
        train(RunFolder(tmp_path / "parts"), data_root, *options, "optimiser.accumulate=2")
    )
    for name in ("loss", "g_l1", "norm", "discriminator.loss", "discriminator.norm"):
        assert parts[name] == pytest.approx(whole[name], rel=1e-3), name


def test_samples_are_as_long_as_the_jumps_that_a_recipe_unrolls(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(
        method={"unroll": {"jumps": 2, "start": 1}},
        model={"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
        optimiser={"steps": 2, "warmup": 0},
        run={"log_every": 1, "validate_every": 100},
    )
    run = RunFolder(tmp_path)
    Trainer(recipe, run, root=data_root).train()
    one_jump, two_jumps = rows(run)
    assert two_jumps["loss"] > 1.2 * one_jump["loss"]  # persistence, of twice the time
