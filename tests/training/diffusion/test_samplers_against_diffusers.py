"""The oracle: diffusers' schedulers walk the same times with the same net and the same noise to the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.diffusion import schedules
from surrogate_training.diffusion.samplers import SAMPLERS
from surrogate_training.diffusion.schedules import Schedule
from torch import Tensor

diffusers = pytest.importorskip(
    "diffusers", reason="diffusers is not installed: the test extra brings it"
)

# theirs turns tensors into arrays in the way that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BETAS = np.linspace(
    1e-4, 0.01, 1000
)  # sigma / alpha up to 13: theirs rounds in float32 at every step
CUMPROD = np.cumprod(1 - BETAS).tolist()
VP = {"trained_betas": BETAS, "prediction_type": "sample"}
SHAPE = (3, 2, 4, 5)


def net(x: Tensor, level: float) -> Tensor:
    """Any estimate of w would do: not linear, another at every level."""
    return torch.tanh(1.3 * x / (1 + level) + 0.2) - 0.5 * torch.sin(x + 3 * level) / (1 + level)


def theirs(
    scheduler: Any, x: Tensor, output: Callable[[Tensor, Tensor, float], Tensor], **step: Any
) -> Tensor:
    """``output(x, estimate of w, sigma)`` is what this scheduler wants of its net, asked at the scheduler's sigma."""
    for i, t in enumerate(scheduler.timesteps):
        if hasattr(scheduler, "is_scale_input_called"):
            scheduler.scale_model_input(x, t)  # insists on the call; the net here scales for itself
        sigma = float(scheduler.sigmas[i]) if hasattr(scheduler, "sigmas") else sigma_of(int(t))
        x = scheduler.step(output(x, net(x, sigma), sigma), t, x, **step).prev_sample
    return x


def sigma_of(t: int) -> float:
    return float(np.sqrt(1 - CUMPROD[t]))


def estimate(x: Tensor, w: Tensor, sigma: float) -> Tensor:
    return w


def of_sigmas(sigmas: Tensor, *, straight: bool = False) -> Schedule:
    """Their noise levels (1, sigma), or (1 - sigma, sigma) of flow matching; repeated ones once."""
    found = tuple(dict.fromkeys(sigmas.double().tolist()))
    return Schedule(found, tuple(1 - s if straight else 1.0 for s in found), found)


def ours(kind: str, x: Tensor, schedule: Schedule, noise: tuple[Tensor, ...] = ()) -> Tensor:
    """The net is told sigma of the schedule, whatever its times are."""
    sigma = dict(zip(schedule.times, schedule.sigmas, strict=True))
    return SAMPLERS[kind](lambda x, t: net(x, sigma[t]), x, schedule, noise=noise)


def same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("n", [1, 4, 20])
def test_euler_is_euler_discrete(x: Tensor, n: int) -> None:
    scheduler = diffusers.EulerDiscreteScheduler(**VP, timestep_spacing="trailing")
    scheduler.set_timesteps(n)
    schedule = of_sigmas(scheduler.sigmas)
    x = x * schedule.sigmas[0]
    same(ours("euler", x, schedule), theirs(scheduler, x, estimate))


@pytest.mark.parametrize("n", [2, 4, 20])
def test_euler_on_karras_levels_is_edm_euler(x: Tensor, n: int) -> None:
    scheduler = diffusers.EDMEulerScheduler(sigma_min=0.01, sigma_max=30.0, sigma_data=1.0)
    scheduler.set_timesteps(n)
    schedule = schedules.karras(n, 0.01, 30.0)
    same(torch.tensor(schedule.sigmas), scheduler.sigmas)

    def preconditioned(x: Tensor, w: Tensor, sigma: float) -> Tensor:
        """What a net of EDM gives whose estimate is w (Karras et al. 2022, equation 7)."""
        skip, out = 1 / (sigma**2 + 1), sigma / (sigma**2 + 1) ** 0.5
        return (w - skip * x) / out

    x = x * schedule.sigmas[0]
    same(ours("euler", x, schedule), theirs(scheduler, x, preconditioned))


@pytest.mark.parametrize("n", [1, 4, 20])
def test_euler_on_uniform_times_is_flow_match_euler(x: Tensor, n: int) -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / n, n))
    schedule = schedules.uniform(n)
    same(torch.tensor(schedule.sigmas), scheduler.sigmas)
    expected = theirs(scheduler, x, lambda x, w, sigma: (x - w) / sigma)
    same(ours("euler", x, schedule), expected)


@pytest.mark.parametrize("n", [1, 4, 20])
def test_heun_is_heun_discrete(x: Tensor, n: int) -> None:
    scheduler = diffusers.HeunDiscreteScheduler(**VP, timestep_spacing="trailing")
    scheduler.set_timesteps(n)
    assert len(scheduler.timesteps) == 2 * n - 1
    schedule = of_sigmas(scheduler.sigmas)
    x = x * schedule.sigmas[0]
    same(ours("heun", x, schedule), theirs(scheduler, x, estimate))


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("n", [1, 4, 20])
def test_ddim_is_ddim(x: Tensor, n: int, spacing: schedules.Spacing) -> None:
    scheduler = diffusers.DDIMScheduler(**VP, clip_sample=False, timestep_spacing=spacing)
    scheduler.set_timesteps(n)
    schedule = schedules.vp(CUMPROD, n, spacing)
    assert schedule.times[:-1] == tuple(scheduler.timesteps.tolist())
    same(ours("ddim", x, schedule), theirs(scheduler, x, estimate))


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("n", [1, 4, 20])
def test_ddpm_is_ddpm_with_the_same_noise(x: Tensor, n: int, spacing: schedules.Spacing) -> None:
    scheduler = diffusers.DDPMScheduler(**VP, clip_sample=False, timestep_spacing=spacing)
    scheduler.set_timesteps(n)
    schedule = schedules.vp(CUMPROD, n, spacing)
    assert schedule.times[:-1] == tuple(scheduler.timesteps.tolist())
    expected = theirs(scheduler, x, estimate, generator=torch.Generator().manual_seed(7))
    generator = torch.Generator().manual_seed(7)
    noise = tuple(torch.randn(SHAPE, generator=generator) for _ in range(n - 1))
    same(ours("ddpm", x, schedule, noise), expected)


@pytest.mark.parametrize(
    "n", [1, 4, 20]
)  # 20: theirs has another rule for the last step from 15 on
def test_dpmpp_2m_is_dpm_solver_multistep(x: Tensor, n: int) -> None:
    scheduler = diffusers.DPMSolverMultistepScheduler(**VP, timestep_spacing="trailing")
    scheduler.set_timesteps(n)
    schedule = schedules.vp(CUMPROD, n)
    assert schedule.times[:-1] == tuple(scheduler.timesteps.tolist())
    levels = iter(schedule.sigmas)  # their ``sigmas`` are sigma / alpha here
    expected = theirs(scheduler, x, lambda x, w, ratio: net(x, next(levels)))
    same(ours("dpmpp_2m", x, schedule), expected)


def test_dpmpp_2m_on_the_straight_path_is_dpm_solver_with_flow_sigmas(x: Tensor) -> None:
    scheduler = diffusers.DPMSolverMultistepScheduler(
        prediction_type="sample", use_flow_sigmas=True
    )
    scheduler.set_timesteps(6)
    schedule = of_sigmas(scheduler.sigmas, straight=True)
    same(ours("dpmpp_2m", x, schedule), theirs(scheduler, x, estimate))
