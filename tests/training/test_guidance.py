"""Classifier-free guidance: what a model says with and without its condition, and a program that weighs both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import ParameterStatistics, Statistics
from surrogate_training.methods.denoising import Denoising
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer
from torch import Tensor

Make = Callable[..., Any]
NET = {"features": [], "widths": [16], "encoder_blocks": [1], "decoder_blocks": [], "stem": 1}
SAMPLER = {"steps": [2], "preset": 2, "guidance": 4.0}


def make(make_recipe: Make, statistics: Statistics, *, guidance: float = 4.0) -> Denoising:
    torch.manual_seed(0)
    recipe = make_recipe(
        method={"kind": "flow", "condition_dropout": 0.3},
        model=NET,
        sampler=SAMPLER | {"guidance": guidance},
    )
    made = make_method(recipe, statistics)
    assert isinstance(made, Denoising)
    for parameter in made.generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


def predict(method: Denoising, x: Tensor, noise: Tensor, weight: float) -> Tensor:
    return method.generator(x, torch.full((len(x), 1), weight), noise).detach()  # type: ignore[no-any-return]


def test_a_weight_of_one_is_the_conditional_model_and_of_zero_the_one_without_condition(
    make_recipe: Make, statistics: Statistics
) -> None:
    method = make(make_recipe, statistics)
    plain = make(make_recipe, statistics, guidance=0.0)  # of the same weights
    x, other, noise = torch.randn(3, 2, 5, 8, 8).unbind()
    torch.testing.assert_close(predict(method, x, noise, 1.0), plain.generator(x, noise).detach())
    null = predict(method, x, noise, 0.0)
    torch.testing.assert_close(null, predict(method, other, noise, 0.0))
    zeros = torch.zeros_like(x)
    assert not torch.allclose(null, predict(method, zeros, noise, 1.0), atol=1e-3)


def test_one_pass_of_the_net_serves_both_at_every_evaluation(
    make_recipe: Make, statistics: Statistics
) -> None:
    method = make(make_recipe, statistics)
    sizes: list[int] = []
    method.generator.net.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    predict(method, torch.randn(3, 5, 8, 8), torch.randn(3, 5, 8, 8), 2.0)
    assert sizes == [6, 6]


def test_the_weight_stands_behind_the_scalar_parameters(
    make_recipe: Make, statistics: Statistics
) -> None:
    tree = make_recipe().data.model_dump(exclude={"generate"})
    data = tree | {"parameters": [{"name": "dt"}]}
    known = replace(statistics, parameters={"dt": ParameterStatistics(3.0, 1.0, 1.0, 5.0, 3.0)})
    recipe = make_recipe(
        data=data,
        method={"kind": "flow", "condition_dropout": 0.3},
        model=NET,
        sampler=SAMPLER,
    )
    method = make_method(recipe, known)
    batch = Batch(torch.randn(2, 2, 5, 8, 8), torch.tensor([[2.0], [4.0]]))
    _, parameters, noise = method.inputs(batch, batch.u1)
    assert parameters.tolist() == [[2.0, 1.0], [4.0, 1.0]]
    assert noise.shape == (2, 5, 8, 8)
    assert method.loss(GENERATOR, method.prepare(batch, step=0), step=0).total.isfinite()


@pytest.mark.full
def test_guidance_moves_draws_away_from_what_is_drawn_without_condition(
    make_recipe: Make, statistics: Statistics
) -> None:
    # increments of 0.5 w1 + 0.5 ε: without w1 their mean is 0, and a weight of 2 doubles 0.5 w1
    method = make(make_recipe, statistics)
    stds = torch.tensor([statistics.fields[n].std for n in method.recipe.names])[:, None, None]
    means = torch.tensor([statistics.fields[n].mean for n in method.recipe.names])[:, None, None]
    scale = method.scaling.get_buffer("scale")[0]  # (P, 1, 1)
    optimiser = torch.optim.Adam(method.parameters(), lr=1e-2)

    def draw(count: int) -> tuple[Tensor, Batch]:
        x = torch.randn(count, 5, 8, 8)
        u1 = means + stds * x
        return x, Batch(torch.stack([u1, u1 + scale * (0.5 * x + 0.5 * torch.randn_like(x))]))

    for step in range(150):
        _, batch = draw(8)
        loss = method.loss(GENERATOR, method.prepare(batch, step=step), step=step).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * (1 - step / 150)
    x, _ = draw(32)
    one = method.generator.variant(1)
    slopes = []
    for weight in (0.0, 1.0, 2.0):
        with torch.no_grad():
            drawn = one(x, torch.full((32, 1), weight), torch.randn(32, 5, 8, 8))
        slopes.append(float((drawn * x).mean()))
    null, conditional, double = slopes
    assert (null, conditional) == pytest.approx((0.0, 0.5), abs=0.1)
    assert double == pytest.approx(2 * conditional - null, abs=0.05)


def test_a_guided_run_is_trained_validated_and_read_back(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(
        method={"kind": "flow", "condition_dropout": 0.3},
        model=NET,
        sampler=SAMPLER,
        optimiser={"steps": 3, "warmup": 1, "shards": 1},
        run={"validate_every": 3},
    )
    Trainer(recipe, RunFolder(tmp_path), root=data_root).train()
    model, step = RunFolder(tmp_path).model()
    assert step == 3
    assert "null" in model.state_dict()


def test_crps_has_no_guidance(make_recipe: Make) -> None:
    with pytest.raises(RecipeError, match="crps has no such steps"):
        make_recipe(method={"kind": "crps", "condition_dropout": 0.1}, model=NET)
