"""The best checkpoint, early stopping, and rates over time."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from surrogate_training import checkpoint
from surrogate_training.config import EarlyStopping, Optimiser
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer, learning_rate
from surrogate_training.trainer.best import Best

Make = Callable[..., Any]
TINY = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


def test_the_best_of_a_metric_is_kept_and_a_minus_means_larger() -> None:
    down, up = Best("error"), Best("-error")
    values = [3.0, 1.0, 2.0, math.nan]
    assert [down.add({"error": v}, None) for v in values] == [True, True, False, False]
    assert [up.add({"error": v}, None) for v in values] == [True, False, False, False]


def test_patience_counts_validations_without_enough_gain() -> None:
    early, best = EarlyStopping(patience=2, minimum=0.1), Best("error")
    gains = []
    for value in (1.0, 0.95, 0.85, 0.84, 0.83):
        best.add({"error": value}, early)
        gains.append((best.stale, best.exhausted(early)))
    assert gains == [(0, False), (1, False), (0, False), (1, False), (2, True)]
    assert best.value == 0.83


def test_a_run_stops_early_and_ends_with_its_best(
    make_recipe: Make, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([0.9, 0.5, 0.7, 0.6])
    recipe = make_recipe(
        model=TINY,
        optimiser={"steps": 20, "early_stopping": {"patience": 2}},
        run={"validate_every": 2, "checkpoint_every": 100, "threads": 1},
    )
    run = RunFolder(tmp_path)
    trainer = Trainer(recipe, run, root=data_root)
    monkeypatch.setattr(trainer.validation, "values", lambda average: {"error": next(errors)})
    trainer.train()
    assert trainer.step == 8
    assert checkpoint.load(run.best_checkpoint).step == 4
    assert run.model()[1] == run.model("best")[1] == 4
    assert run.model("last")[1] == 8
    again = Trainer(recipe, run, root=data_root, resume=True)
    again.train()
    assert again.step == 8  # it stays stopped


def test_a_metric_that_no_validation_has_is_refused_before_training(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        ValueError, match=r"run\.best: a validation has no 'ssim'; it has error, rho"
    ):
        Trainer(make_recipe(model=TINY, run={"best": "-ssim"}), RunFolder(tmp_path), root=data_root)


def test_early_stopping_without_validation_pairs_is_refused(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(model=TINY, optimiser={"steps": 2, "early_stopping": {"patience": 1}})
    split = recipe.data.split.model_copy(update={"validation": 0})
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"split": split})})
    with pytest.raises(ValueError, match=r"early_stopping needs validation pairs"):
        Trainer(recipe, RunFolder(tmp_path), root=data_root)


def test_schedules_fall_in_a_line_or_not_at_all_and_scale_with_a_peak() -> None:
    line = Optimiser(
        steps=100, warmup=0, hold=50, learning_rate=1.0, final_learning_rate=0.2, schedule="linear"
    )
    assert learning_rate(50, line) == 1.0
    assert learning_rate(75, line) == pytest.approx(0.6)
    assert learning_rate(100, line) == pytest.approx(0.2)
    assert learning_rate(75, line, peak=0.1) == 0.1  # never above its own peak
    still = Optimiser(steps=100, warmup=4, learning_rate=1.0, schedule="constant")
    assert [learning_rate(n, still) for n in (0, 4, 99)] == [0.25, 1.0, 1.0]
