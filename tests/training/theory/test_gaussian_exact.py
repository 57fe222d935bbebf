"""A Gaussian conditional p(w | u) = N(A u, S): with its exact denoiser each sampler draws it.

The denoiser is affine, so a draw is an affine map of a sampler's normals: mean and covariance follow from a few
draws, without Monte Carlo.
"""

from __future__ import annotations

import pytest
import torch
from surrogate_training.config import DDPMConfig, EDMConfig, FlowConfig
from surrogate_training.diffusion.processes import make_process
from surrogate_training.diffusion.samplers import SAMPLERS, Denoiser, draws, intervals
from surrogate_training.diffusion.schedules import Schedule
from torch import Tensor

A = torch.tensor([[0.6, -0.3], [0.2, 0.5]], dtype=torch.float64)
S = torch.tensor([[0.5, 0.3], [0.3, 0.6]], dtype=torch.float64)
STATE = torch.tensor([1.2, -0.7], dtype=torch.float64)
MEAN = A @ STATE
CONFIGS = {"ddpm": DDPMConfig(), "edm": EDMConfig(), "flow": FlowConfig()}


def ideal(schedule: Schedule) -> Denoiser:
    """E[w | x] = m + a S (a² S + s²)^-1 (x - a m), in closed form."""
    levels = dict(
        zip(schedule.times, zip(schedule.alphas, schedule.sigmas, strict=True), strict=True)
    )

    def denoise(x: Tensor, t: float) -> Tensor:
        a, s = levels[t]
        gain = a * S @ torch.linalg.inv(a**2 * S + s**2 * torch.eye(2, dtype=S.dtype))
        mean = MEAN[:, None, None]
        return mean + torch.einsum("pq,bqij->bpij", gain, x - a * mean)

    return denoise


def drawn(
    config: DDPMConfig | EDMConfig | FlowConfig, kind: str, evaluations: int
) -> tuple[Tensor, Tensor]:
    """Mean (2,) and covariance (2, 2) of what a program draws."""
    schedule = make_process(config).schedule(intervals(kind, evaluations))
    inputs = 2 * (1 + draws(kind, evaluations))
    normals = torch.cat([torch.zeros(1, inputs), torch.eye(inputs)]).double()[..., None, None]
    initial, *later = normals.split(2, 1)  # (1 + inputs, 2, 1, 1) each
    w = SAMPLERS[kind](
        ideal(schedule),
        schedule.sigmas[0] * initial,
        schedule,
        noise=later,
        evaluations=evaluations,
    )[..., 0, 0]  # (1 + inputs, 2)
    mean, columns = w[0], w[1:] - w[0]
    return mean, columns.T @ columns


@pytest.mark.parametrize("method", CONFIGS)
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("euler", 0.02), ("ddim", 0.02), ("ddpm", 0.04), ("heun", 2e-3), ("dpmpp_2m", 2e-3)],
)
def test_two_hundred_evaluations_draw_the_conditional(
    method: str, kind: str, tolerance: float
) -> None:
    mean, covariance = drawn(CONFIGS[method], kind, 200)
    # EDM starts at pure noise of size 80, where the mean still shows by a part in 80
    torch.testing.assert_close(mean, MEAN, rtol=0, atol=0.01)
    torch.testing.assert_close(covariance, S, rtol=0, atol=tolerance)


@pytest.mark.parametrize("method", CONFIGS)
@pytest.mark.parametrize("kind", SAMPLERS)
def test_one_evaluation_returns_the_conditional_mean_without_spread(method: str, kind: str) -> None:
    mean, covariance = drawn(CONFIGS[method], kind, 1)
    torch.testing.assert_close(mean, MEAN, rtol=0, atol=1e-3)
    torch.testing.assert_close(covariance, torch.zeros_like(S), rtol=0, atol=1e-3)


@pytest.mark.parametrize("method", CONFIGS)
def test_few_evaluations_draw_too_little_spread_and_more_of_them_more(method: str) -> None:
    variances = [float(drawn(CONFIGS[method], "euler", n)[1].trace()) for n in (1, 2, 4, 8, 16)]
    assert variances == sorted(variances)
    assert variances[-1] < float(S.trace())


def test_four_evaluations_of_edm_draw_most_of_the_spread_from_a_start_at_ten_by_dpmpp_2m() -> None:
    def share(kind: str, config: EDMConfig) -> float:
        return float(drawn(config, kind, 4)[1].trace() / S.trace())

    near = EDMConfig(sigma_min=0.05, sigma_max=10.0)
    assert 0.85 < share("dpmpp_2m", near) < 1.05
    assert share("ddim", near) < 0.5
    assert share("heun", EDMConfig()) < 0.35  # the paper's levels want tens of evaluations
