"""Training: it learns, it is deterministic, it resumes to the bit, and it stops when it must."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training import checkpoint
from surrogate_training.config import Optimiser
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.methods.method import Loss
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder, open_run
from surrogate_training.trainer import DivergedError, Trainer, learning_rate

Make = Callable[..., Any]


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return checkpoint.load(run.last_checkpoint).average


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def short(make_recipe: Make, **changes: Any) -> Any:
    model = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
    return make_recipe(model=model, optimiser={"steps": 8, "warmup": 2} | changes)


def test_a_trained_net_beats_persistence_on_unseen_trajectories(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    recipe = make_recipe(
        optimiser={"steps": 120},
        model={"widths": [16], "encoder_blocks": [2], "decoder_blocks": []},
    )
    Trainer(recipe, run, root=data_root).train()
    found = evaluate_run(run, root=data_root)
    assert found["error_over_persistence"] < 0.5
    assert found["worst_field_over_persistence"] < 0.7
    assert found["trajectories"] == 2
    assert json.loads(run.evaluation_file.read_text()) == found


def test_an_untrained_net_scores_as_persistence(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    trainer = Trainer(short(make_recipe), run, root=data_root)
    checkpoint.save(trainer.state(), run.last_checkpoint)
    found = evaluate_run(run, root=data_root)
    assert found["error"] == found["persistence_error"]
    assert found["worst_field_over_persistence"] == 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_seed_gives_the_same_bits(
    make_recipe: Make, data_root: Path, tmp_path: Path, precision: str
) -> None:
    runs = [RunFolder(tmp_path / str(n)) for n in range(3)]
    for run, seed in zip(runs, (1, 1, 2), strict=True):
        recipe = short(make_recipe, precision=precision)
        Trainer(recipe.model_copy(update={"seed": seed}), run, root=data_root).train()
    assert equal(weights(runs[0]), weights(runs[1]))
    assert not equal(weights(runs[0]), weights(runs[2]))


def test_threads_do_not_change_the_bits(make_recipe: Make, data_root: Path, tmp_path: Path) -> None:
    runs = [RunFolder(tmp_path / str(n)) for n in (1, 2)]
    for threads, run in enumerate(runs, start=1):
        recipe = short(make_recipe)
        section = recipe.run.model_copy(update={"threads": threads})
        Trainer(recipe.model_copy(update={"run": section}), run, root=data_root).train()
    assert equal(weights(runs[0]), weights(runs[1]))


def test_a_resumed_run_ends_in_the_same_bits(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = short(make_recipe)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    Trainer(recipe, whole, root=data_root).train()
    Trainer(recipe, parts, root=data_root).train(until=5)
    torch.manual_seed(99)  # the global generator must not matter
    Trainer(recipe, parts, root=data_root, resume=True).train()
    assert equal(weights(whole), weights(parts))
    a, b = (checkpoint.load(r.final_checkpoint) for r in (whole, parts))
    assert equal(a.networks["generator"], b.networks["generator"])
    assert a.step == b.step == 8
    assert "resumed" not in whole.environment()
    assert [stop["commit"] for stop in parts.environment()["resumed"]] == [
        whole.environment()["commit"]
    ]


def test_steps_may_change_while_the_rate_is_constant(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    long, short_ = short(make_recipe, steps=50, hold=4), short(make_recipe, steps=8, hold=4)
    whole, changed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "changed")
    Trainer(short_, whole, root=data_root).train()
    Trainer(long, changed, root=data_root).train(until=4)
    Trainer(short_, changed, root=data_root, resume=True).train()
    assert equal(weights(whole), weights(changed))
    with pytest.raises(RecipeError, match=r"optimiser\.steps"):
        Trainer(long, changed, root=data_root, resume=True)


def test_a_run_is_not_resumed_under_another_recipe(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    Trainer(short(make_recipe), run, root=data_root).train(until=2)
    other = short(make_recipe)
    method = other.method.model_copy(update={"noise": 0.5})
    other = other.model_copy(update={"method": method})
    with pytest.raises(RecipeError, match=r"method\.noise"):
        Trainer(other, run, root=data_root, resume=True)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(
    make_recipe: Make, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path)
    trainer = Trainer(short(make_recipe), run, root=data_root)
    trainer.train(until=3)
    before = weights(run)
    original = trainer.method.loss
    monkeypatch.setattr(
        trainer.method, "loss", lambda *a, **k: Loss(original(*a, **k).total * math.nan, {})
    )
    with pytest.raises(
        DivergedError, match=r"step 3: the loss is nan.*diverged\.pt.*learning_rate"
    ):
        trainer.train()
    assert equal(weights(run), before)
    kept = torch.load(run.diverged_file(0), weights_only=True)
    shards = [trainer.source.step(3, shard=n, shards=2).frames for n in range(2)]
    assert kept["frames"].equal(torch.cat(shards, dim=1))
    assert sorted(kept["names"]) == sorted(trainer.source.names(3))
    assert (kept["step"], kept["network"]) == (3, "generator")


def test_the_run_folder_describes_the_run(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path)
    recipe = make_recipe(
        optimiser={"steps": 8},
        run={"log_every": 4, "validate_every": 4, "checkpoint_every": 4, "threads": 1},
    )
    Trainer(recipe, run, root=data_root).train()
    assert open_run(tmp_path).recipe() == recipe
    assert {"torch", "commit", "cores"} <= run.environment().keys()
    assert run.root() == data_root
    lines = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    assert [(m["kind"], m["step"]) for m in lines] == [
        ("train", 4), ("validation", 4), ("train", 8), ("validation", 8),
    ]  # fmt: skip
    assert not list(tmp_path.rglob("*.partial"))


def test_no_checkpoint_and_no_run_are_said(make_recipe: Make, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not a run folder"):
        open_run(tmp_path)
    with pytest.raises(FileNotFoundError, match="not written a checkpoint"):
        checkpoint.load(tmp_path / "last.pt")


def test_the_learning_rate_warms_up_holds_and_falls_to_its_end() -> None:
    config = Optimiser(steps=100, warmup=10, hold=40, learning_rate=1.0, final_learning_rate=0.1)
    rates = [learning_rate(n, config) for n in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:41] == [1.0] * 31
    assert all(a > b for a, b in pairwise(rates[40:]))
    assert rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize("loss", ["mse", "relative_l2"])
def test_both_losses_train(make_recipe: Make, data_root: Path, tmp_path: Path, loss: str) -> None:
    recipe = make_recipe(
        method={"loss": loss},
        optimiser={"steps": 30},
        model={"widths": [8], "encoder_blocks": [1], "decoder_blocks": []},
    )
    run = RunFolder(tmp_path)
    Trainer(recipe, run, root=data_root).train()
    assert evaluate_run(run, root=data_root)["error_over_persistence"] < 0.9
