"""The error that counts, and the loss that is its mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import GENERATOR, Loss
from surrogate_training.methods.regression import Regression
from surrogate_training.metrics.relative import mean_score, observed, relative_errors

Make = Callable[..., Any]


def states() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 5, 16, 16, generator=generator), torch.randn(
        3, 5, 16, 16, generator=generator
    )


def loss_of(method: Regression, u1: torch.Tensor, u2: torch.Tensor) -> Loss:
    context = method.prepare(Batch(torch.stack([u1, u2])), step=0)
    return method.loss(GENERATOR, context, step=0)


def test_the_relative_error_is_rms_over_std_with_b_beside_its_potential(
    make_recipe: Make, statistics: Statistics
) -> None:
    u1, u2 = (u.numpy().astype(np.float64) for u in states())
    found = relative_errors(*states(), make_recipe(), statistics)
    assert list(found) == ["rho", "vx", "vy", "p", "az", "bx", "by"]

    def error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.sqrt(((a - b) ** 2).mean((1, 2))) / b.std((1, 2), ddof=1)

    def by(u: np.ndarray) -> np.ndarray:
        return -(np.roll(u[:, 4], -1, 2) - u[:, 4]) / statistics.spacing[1]

    np.testing.assert_allclose(found["vy"], error(u1[:, 2], u2[:, 2]), rtol=1e-5)
    np.testing.assert_allclose(found["by"], error(by(u1), by(u2)), rtol=1e-5)


def test_a_perfect_prediction_scores_zero(make_recipe: Make, statistics: Statistics) -> None:
    u, _ = states()
    errors = relative_errors(u, u, make_recipe(), statistics)
    assert all(float(e.max()) < 1e-5 for e in errors.values())


def test_the_score_leaves_the_potential_out(make_recipe: Make) -> None:
    assert mean_score({"rho": 1.0, "az": 100.0, "bx": 3.0}, make_recipe()) == 2.0


def test_the_curl_does_not_see_the_gauge(make_recipe: Make, statistics: Statistics) -> None:
    u, _ = states()
    shifted = u.clone()
    shifted[:, 4] += 0.5
    a, b = (observed(v, make_recipe(), statistics) for v in (u, shifted))
    torch.testing.assert_close(a["bx"], b["bx"], rtol=0, atol=1e-3)
    assert not torch.equal(a["az"], b["az"])


@pytest.mark.parametrize("loss", ["relative_l2", "mse"])
def test_the_gradient_is_finite_even_where_the_prediction_is_perfect(
    make_recipe: Make, random_model: Make, statistics: Statistics, loss: str
) -> None:
    recipe = make_recipe(method={"loss": loss})
    u, _ = states()
    method = Regression(recipe, statistics)
    method.networks[GENERATOR] = random_model(recipe, statistics).requires_grad_(True)
    last = list(method.generator.net.exit.parameters())
    for parameter in last:
        torch.nn.init.zeros_(parameter)
    gradients = torch.autograd.grad(loss_of(method, u, u).total, last)
    assert all(torch.isfinite(g).all() for g in gradients)


def test_the_mse_of_persistence_is_one_over_the_training_set(
    make_recipe: Make, statistics: Statistics
) -> None:
    recipe = make_recipe(method={"loss": "mse", "potential_weight": 1.0})
    scale = torch.tensor([statistics.fields[n].increment_std for n in recipe.names])[:, None, None]
    u1 = torch.zeros(4, 5, 64, 64)
    u2 = scale * torch.randn(u1.shape, generator=torch.Generator().manual_seed(2))
    parts = loss_of(
        Regression(recipe, statistics), u1, u2
    ).parts  # an untrained net predicts persistence
    for name in recipe.names:
        assert float(parts[name].detach()) == pytest.approx(1, rel=0.05)


def test_cells_without_weight_change_no_error(make_recipe: Make, statistics: Statistics) -> None:
    predicted, truth = states()
    weight = torch.ones(3, 1, 16, 16)
    weight[:, :, 3:6, 4:9] = 0
    recipe = make_recipe()
    before = relative_errors(predicted, truth, recipe, statistics, weight=weight)
    holes = weight.expand_as(predicted) == 0
    predicted[holes], truth[holes] = 1e3, -1e3
    after = relative_errors(predicted, truth, recipe, statistics, weight=weight)
    assert list(before) == ["rho", "vx", "vy", "p", "az", "bx", "by"]
    for name in before:
        torch.testing.assert_close(after[name], before[name], rtol=1e-5, atol=0)


def test_a_weight_of_one_everywhere_is_no_weight(make_recipe: Make, statistics: Statistics) -> None:
    recipe, everywhere = make_recipe(), torch.ones(3, 1, 16, 16)
    plain = relative_errors(*states(), recipe, statistics)
    weighted = relative_errors(*states(), recipe, statistics, weight=everywhere)
    for name, error in plain.items():
        torch.testing.assert_close(weighted[name], error)
