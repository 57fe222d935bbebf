"""Validations of stochastic models: scores of small ensembles beside the error of one sample."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.data.statistics import Statistics
from surrogate_training.metrics import ensemble, errors
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from surrogate_training.trainer.ensembles import MEMBERS, NAMES, score, summary

NET = {"features": [], "widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
FLOW = {"method": {"kind": "flow"}, "model": NET, "sampler": {"steps": [2], "preset": 2}}


@pytest.fixture(name="trained")
def a_run(make_recipe: Callable[..., Any], data_root: Path, tmp_path: Path) -> Trainer:
    """Two steps of a flow, whose best checkpoint is that of the best CRPS."""
    run = {"best": "crps", "validation_pairs": 3, "validate_every": 1, "checkpoint_every": 1}
    recipe = make_recipe(**FLOW, run=run, optimiser={"steps": 2, "shards": 1, "batch": 4})
    made = Trainer(recipe, RunFolder(tmp_path / "run"), root=data_root)
    made.train(until=1)
    return made


def test_scores_are_those_of_the_metrics_over_the_truths_deviation(
    make_recipe: Callable[..., Any], statistics: Statistics
) -> None:
    recipe = make_recipe(model=NET)
    frames, truth = torch.randn(MEMBERS, 5, 8, 8), 3 * torch.randn(1, 5, 8, 8)
    weight = (torch.rand(1, 1, 8, 8) > 0.3).float()
    crps, square, wide = score(frames, truth, recipe, statistics, weight=weight)
    x, y, where = frames.numpy(), truth[0].numpy(), weight[0, 0].numpy()
    std = np.sqrt(errors.variance(y, where))  # (5,)
    assert crps == pytest.approx(np.mean(ensemble.fair_crps(x, y, where) / std))
    assert square == pytest.approx(np.mean(errors.mse(x.mean(0), y, where) / std**2))
    assert wide == pytest.approx(np.mean(ensemble.spread(x, where) ** 2 / std**2))


def test_members_like_the_truth_are_calibrated(
    make_recipe: Callable[..., Any], statistics: Statistics
) -> None:
    recipe = make_recipe(model=NET)
    torch.manual_seed(0)
    drawn = torch.randn(8, MEMBERS + 1, 5, 32, 32).unbind()
    found = summary([score(u[:-1], u[-1:], recipe, statistics) for u in drawn])
    assert found["spread_skill"] == pytest.approx(1, abs=0.05)
    assert found["crps"] == pytest.approx(1 / np.sqrt(np.pi), abs=0.02)
    assert found["error_of_mean"] == pytest.approx(np.sqrt(1 + 1 / MEMBERS), abs=0.03)


def test_the_best_checkpoint_of_a_flow_can_be_that_of_the_best_crps(trained: Trainer) -> None:
    lines = map(json.loads, trained.run.metrics_file.read_text().splitlines())
    (found,) = [line for line in lines if line["kind"] == "validation"]
    assert set(NAMES) < set(found)
    assert all(np.isfinite(found[name]) for name in NAMES)
    assert trained.best.value == found["crps"]
    assert trained.run.best_checkpoint.is_file()


def test_a_validation_is_the_same_whenever_it_is_made_and_changes_no_training(
    trained: Trainer, data_root: Path
) -> None:
    first = trained.validation.values(trained.average.values)
    torch.randn(7)
    assert trained.validation.values(trained.average.values) == first
    resumed = Trainer(trained.recipe, trained.run, root=data_root, resume=True)
    trained.validation.values(trained.average.values)
    for trainer in (trained, resumed):
        trainer.train()
    for name, value in trained.average.values.items():
        assert torch.equal(value, resumed.average.values[name]), name


def test_a_deterministic_model_has_no_such_numbers(
    make_recipe: Callable[..., Any], data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(model=NET, run={"best": "crps"})
    with pytest.raises(ValueError, match="no 'crps'; it has error, rho"):
        Trainer(recipe, RunFolder(tmp_path / "plain"), root=data_root)
