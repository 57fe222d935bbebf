"""The method that is there to be copied: registered, trained, and what its text says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from surrogate_training.config import Method as MethodSection
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import METHODS, make_method
from surrogate_training.methods.template import Template
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

Make = Callable[..., Any]
NET = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


def test_every_kind_of_section_has_its_method() -> None:
    union = get_args(get_args(MethodSection)[0])
    kinds = {get_args(member)[0].model_fields["kind"].default for member in union}
    assert kinds == METHODS.keys()


def test_it_trains_in_a_recipe(make_recipe: Make, data_root: Path, tmp_path: Path) -> None:
    recipe = make_recipe(method={"kind": "template"}, model=NET, optimiser={"steps": 30})
    run = RunFolder(tmp_path)
    Trainer(recipe, run, root=data_root).train()
    assert evaluate_run(run, root=data_root)["error_over_persistence"] < 0.9


@pytest.mark.parametrize(("size", "loss"), [(1e-3, 0.1), (10.0, 10.0)])
def test_its_loss_is_epsilon_for_small_errors_and_their_size_for_large_ones(
    make_recipe: Make, statistics: Statistics, size: float, loss: float
) -> None:
    recipe = make_recipe(method={"kind": "template", "epsilon": 0.1}, model=NET)
    method = make_method(recipe, statistics)
    assert isinstance(method, Template)
    scale = torch.tensor([statistics.fields[n].increment_std for n in recipe.names])
    u1 = torch.zeros(2, 5, 8, 8)
    batch = Batch(torch.stack([u1, u1 + size * scale[:, None, None]]))
    total = method.loss(GENERATOR, method.prepare(batch, step=0), step=0).total.detach()
    assert float(total) == pytest.approx(loss, rel=1e-3)  # an untrained net predicts persistence


def test_missing_cells_do_not_count(make_recipe: Make, statistics: Statistics) -> None:
    method = make_method(make_recipe(method={"kind": "template"}, model=NET), statistics)
    frames, weight = torch.randn(2, 2, 5, 8, 8), torch.ones(2, 1, 8, 8)
    weight[:, :, 2:4] = 0
    totals = []
    for filler in (0.0, 50.0):
        frames[1, :, :, 2:4] = filler
        context = method.prepare(Batch(frames, weight=weight), step=0)
        totals.append(method.loss(GENERATOR, context, step=0).total)
    assert torch.equal(*totals)
