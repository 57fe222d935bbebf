"""interpolant: a process from the frame at t1 to the frame at t2, and its stochastic equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from surrogate_training.config import InterpolantConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion import schedules
from surrogate_training.diffusion.processes import FromPoint
from surrogate_training.diffusion.samplers import bridge
from surrogate_training.methods.interpolant import Interpolating
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.registry import make_method
from surrogate_training.recipe import RecipeError
from torch import Tensor

Make = Callable[..., Any]
NET = {"features": [], "widths": [16], "encoder_blocks": [1], "decoder_blocks": [], "stem": 1}


def make(make_recipe: Make, statistics: Statistics, **changes: Any) -> Interpolating:
    torch.manual_seed(0)
    method = {"kind": "interpolant"} | changes.pop("method", {})
    recipe = make_recipe(method=method, model=NET | changes.pop("model", {}), **changes)
    made = make_method(recipe, statistics)
    assert isinstance(made, Interpolating)
    return made


def ideal(mean: float, variance: float, sigma: float) -> Callable[[Tensor, float], Tensor]:
    """E[w | x_t] of a Gaussian w."""

    def denoise(x: Tensor, t: float) -> Tensor:
        noise = sigma**2 * (1 - t) ** 2 * t
        gain = t * variance / (t**2 * variance + noise) if t > 0 else 0.0
        return mean + gain * (x - t * mean)

    return denoise


@pytest.mark.parametrize(("sigma", "n", "share"), [(0.7, 4, 0.98), (1.4, 4, 1.08), (1.4, 64, 1.0)])
def test_with_the_exact_mean_it_draws_the_distribution_also_in_four_evaluations(
    sigma: float, n: int, share: float
) -> None:
    torch.manual_seed(0)
    noise = list(torch.randn(n - 1, 20000, 1, 1, 1).double())
    x = torch.zeros(20000, 1, 1, 1).double()
    drawn = bridge(ideal(0.4, 0.49, sigma), x, schedules.bridge(n, sigma), noise=noise)
    assert float(drawn.mean()) == pytest.approx(0.4, abs=0.02)
    assert float(drawn.var()) == pytest.approx(share * 0.49, rel=0.04)


def test_its_noise_on_the_way_is_that_of_training() -> None:
    torch.manual_seed(0)
    seen = []

    def denoise(x: Tensor, t: float) -> Tensor:
        seen.append((t, float((x - 2.0 * t).std())))
        return torch.full_like(x, 2.0)

    n = 64
    noise = list(torch.randn(n - 1, 10000, 1, 1, 1))
    found = bridge(denoise, torch.zeros(10000, 1, 1, 1), schedules.bridge(n, 0.8), noise=noise)
    torch.testing.assert_close(found, torch.full_like(found, 2.0))
    process = FromPoint(InterpolantConfig(sigma=0.8))
    for t, deviation in seen:
        _, expected = process.coefficients(torch.tensor([t]))
        assert deviation == pytest.approx(float(expected), rel=0.05, abs=5e-3)


def test_it_walks_from_a_point_only() -> None:
    with pytest.raises(ValueError, match="walks a Bridge"):
        bridge(lambda x, t: x, torch.zeros(1, 1, 2, 2), schedules.uniform(4))


def test_the_right_drift_leads_to_the_frame(make_recipe: Make, statistics: Statistics) -> None:
    process = make(make_recipe, statistics).generator.process
    w, noise = torch.randn(2, 4, 5, 4, 4).unbind()
    t = process.times(4, w.device)
    x = process.noised(w, noise, t)
    found = process.denoised(process.target(w, noise, t), x, t)
    torch.testing.assert_close(found, w, rtol=0, atol=1e-5)


@pytest.mark.parametrize("target", ["increment", "frame"])
def test_an_untrained_model_draws_about_the_frame_at_t1(
    make_recipe: Make, statistics: Statistics, target: str
) -> None:
    method = make(make_recipe, statistics, model={"target": target})
    u1 = torch.randn(2, 5, 8, 8)
    x, *noise = method.inputs(Batch(torch.stack([u1, u1])), u1)
    (later,) = noise
    assert later.shape == (2, 7 * 5, 8, 8)
    frame = method.scaling.frame(u1, method.generator(x, torch.zeros_like(later)))
    torch.testing.assert_close(frame, u1, rtol=1e-5, atol=1e-5)


def test_it_learns_mean_and_spread_of_a_gaussian(make_recipe: Make, statistics: Statistics) -> None:
    sampler = {"steps": [8], "preset": 8}
    method = make(make_recipe, statistics, sampler=sampler)
    stds = torch.tensor([statistics.fields[n].std for n in method.recipe.names])[:, None, None]
    means = torch.tensor([statistics.fields[n].mean for n in method.recipe.names])[:, None, None]
    scale = method.scaling.get_buffer("scale")[0]  # (P, 1, 1)
    optimiser = torch.optim.Adam(method.parameters(), lr=1e-2)

    def draw() -> tuple[Tensor, Batch]:
        x = torch.randn(8, 5, 8, 8)
        u1 = means + stds * x
        return x, Batch(torch.stack([u1, u1 + scale * (0.5 * x + 0.7 * torch.randn_like(x))]))

    for step in range(150):
        _, batch = draw()
        loss = method.loss(GENERATOR, method.prepare(batch, step=step), step=step).total
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * (1 - step / 150)
        optimiser.step()
    with torch.no_grad():
        x, batch = draw()
        drawn = torch.stack([method.generator(*method.inputs(batch, batch.u1)) for _ in range(32)])
    error = drawn.mean(0) - 0.5 * x
    assert float(error.square().mean().sqrt()) < 0.3  # 0.12 of it from 32 members
    assert float(drawn.std(0).mean()) == pytest.approx(0.7, rel=0.15)


def test_another_sampler_is_refused(make_recipe: Make) -> None:
    with pytest.raises(RecipeError, match="sampler of its own"):
        make_recipe(method={"kind": "interpolant"}, model=NET, sampler={"kind": "euler"})
