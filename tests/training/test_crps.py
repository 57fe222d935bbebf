"""crps: the score that is minimised, and the spread that minimising it teaches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.crps import CRPS, almost_fair_crps
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.metrics.ensemble import fair_crps
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

Make = Callable[..., Any]
NET = {"features": [], "widths": [16], "encoder_blocks": [1], "decoder_blocks": [], "stem": 1}


def make(make_recipe: Make, statistics: Statistics, **method: Any) -> CRPS:
    torch.manual_seed(0)
    made = make_method(make_recipe(method={"kind": "crps"} | method, model=NET), statistics)
    assert isinstance(made, CRPS)
    return made


def total(method: CRPS, batch: Batch) -> torch.Tensor:
    torch.manual_seed(1)
    return method.loss(GENERATOR, method.prepare(batch, step=0), step=0).total


@pytest.mark.parametrize("count", [2, 5])
def test_with_fairness_one_it_is_the_fair_crps_and_without_the_ordinary_one(count: int) -> None:
    members, truth = torch.randn(count, 3, 4, dtype=torch.float64), torch.randn(3, 4).double()
    fair = almost_fair_crps(members, truth, 1.0)
    assert float(fair.mean()) == pytest.approx(float(np.mean(fair_crps(members, truth))))
    apart = (members[:, None] - members).abs().mean((0, 1))
    ordinary = (members - truth).abs().mean(0) - apart / 2
    torch.testing.assert_close(almost_fair_crps(members, truth, 0.0), ordinary)
    half = almost_fair_crps(members, truth, 0.5)
    torch.testing.assert_close(half, (fair + ordinary) / 2)


def test_members_learn_mean_and_spread_of_a_gaussian(
    make_recipe: Make, statistics: Statistics
) -> None:
    # increments of 0.5 w1 + 0.7 ε, in standard deviations: the second of two draws of one state is another ε
    method = make(make_recipe, statistics, members=4, fairness=1.0)
    stds = torch.tensor([statistics.fields[n].std for n in method.recipe.names])[:, None, None]
    means = torch.tensor([statistics.fields[n].mean for n in method.recipe.names])[:, None, None]
    scale = method.scaling.get_buffer("scale")[0]  # (P, 1, 1)
    optimiser = torch.optim.Adam(method.parameters(), lr=1e-2)

    def draw() -> tuple[torch.Tensor, Batch]:
        x = torch.randn(8, 5, 8, 8)
        u1 = means + stds * x
        return x, Batch(torch.stack([u1, u1 + scale * (0.5 * x + 0.7 * torch.randn_like(x))]))

    for step in range(250):
        _, batch = draw()
        loss = method.loss(GENERATOR, method.prepare(batch, step=step), step=step).total
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * (1 - step / 250)
        optimiser.step()
    with torch.no_grad():
        x, batch = draw()
        drawn = torch.stack([method.generator(*method.inputs(batch, batch.u1)) for _ in range(64)])
    error = drawn.mean(0) - 0.5 * x
    assert float(error.square().mean().sqrt()) < 0.2  # 0.09 of it from 64 members
    assert float(drawn.std(0).mean()) == pytest.approx(0.7, rel=0.1)


def test_both_spaces_agree_where_the_scaling_is_linear(
    make_recipe: Make, statistics: Statistics
) -> None:
    batch = Batch(torch.randn(2, 2, 5, 8, 8, generator=torch.Generator().manual_seed(1)))
    scaled, physical = (
        total(make(make_recipe, statistics, space=space), batch) for space in ("scaled", "physical")
    )
    torch.testing.assert_close(scaled, physical, rtol=1e-4, atol=1e-4)


def test_missing_cells_do_not_count_at_any_scale(make_recipe: Make, statistics: Statistics) -> None:
    method = make(make_recipe, statistics, scales=[1, 2, 4])
    frames, weight = torch.randn(2, 2, 5, 8, 8), torch.ones(2, 1, 8, 8)
    weight[:, :, 2:5] = 0
    totals = []
    for filler in (0.0, 50.0):
        frames[1, :, :, 2:5] = filler
        totals.append(total(method, Batch(frames, weight=weight)))
    assert torch.equal(*totals)


def test_a_scale_must_divide_the_grid(make_recipe: Make, statistics: Statistics) -> None:
    with pytest.raises(ValueError, match="divide"):
        make(make_recipe, statistics, scales=[1, 3])


def test_it_begins_from_a_regression_run_as_that_run_predicts(
    make_recipe: Make, data_root: Path, tmp_path: Path
) -> None:
    optimiser = {"steps": 3, "warmup": 1, "shards": 1}
    regression = make_recipe(model=NET, optimiser=optimiser)
    run = RunFolder(tmp_path / "regression")
    Trainer(regression, run, root=data_root).train()
    known, _ = run.model()
    method = {"kind": "crps", "start": str(run.path)}
    recipe = make_recipe(method=method, model=NET, optimiser=optimiser)
    trainer = Trainer(recipe, RunFolder(tmp_path / "crps"), root=data_root)
    x = torch.randn(2, 5, 32, 32)
    quiet, loud = torch.zeros(2, 4, 32, 32), torch.randn(2, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(trainer.model(x, quiet), known(x))
        assert not torch.allclose(trainer.model(x, loud), known(x), atol=1e-6)
    trainer.train()
    assert RunFolder(tmp_path / "crps").model()[0].noise_inputs == {"noise": 4}
