"""Samplers: what must hold whatever the net."""

from __future__ import annotations

import math

import pytest
import torch
from surrogate_training.diffusion import schedules
from surrogate_training.diffusion.samplers import SAMPLERS, Denoiser, draws, intervals
from surrogate_training.diffusion.schedules import Schedule
from torch import Tensor, nn

COSINE = [math.cos((i + 1.008) / 1.008 / 1001 * math.pi / 2) ** 2 for i in range(1000)]
MAKERS = {
    "karras": lambda n: schedules.karras(n, 0.02, 20.0),
    "uniform": schedules.uniform,
    "vp": lambda n: schedules.vp(COSINE, n),
}
MEAN, STD = 0.7, 0.4


def gaussian(schedule: Schedule) -> Denoiser:
    """E[w | x] of w ~ N(MEAN, STD²), in closed form."""
    levels = dict(
        zip(schedule.times, zip(schedule.alphas, schedule.sigmas, strict=True), strict=True)
    )

    def denoise(x: Tensor, t: float) -> Tensor:
        a, s = levels[t]
        return MEAN + a * STD**2 / ((a * STD) ** 2 + s**2) * (x - a * MEAN)

    return denoise


def exact(x: Tensor, schedule: Schedule) -> Tensor:
    """Where the probability-flow ODE takes x: the same quantile of N(MEAN, STD²)."""
    a, s = schedule.alphas[0], schedule.sigmas[0]
    return MEAN + STD * (x - a * MEAN) / math.sqrt((a * STD) ** 2 + s**2)


def start(schedule: Schedule, count: int = 4) -> Tensor:
    noise = torch.linspace(-2, 2, count, dtype=torch.float64).view(count, 1, 1, 1)
    a, s = schedule.alphas[0], schedule.sigmas[0]
    return a * MEAN + math.sqrt((a * STD) ** 2 + s**2) * noise


def noises(kind: str, evaluations: int, like: Tensor) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [
        torch.randn(like.shape, generator=generator, dtype=like.dtype)
        for _ in range(draws(kind, evaluations))
    ]


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("evaluations", [1, 2, 3, 4, 8, 9])
def test_the_net_is_called_as_often_as_asked_and_never_at_the_data(
    kind: str, evaluations: int
) -> None:
    schedule = schedules.uniform(intervals(kind, evaluations))
    seen: list[float] = []

    def denoise(x: Tensor, t: float) -> Tensor:
        seen.append(t)
        return torch.zeros_like(x)

    x = torch.ones(1, 1, 2, 2)
    noise = noises(kind, evaluations, x)
    SAMPLERS[kind](denoise, x, schedule, noise=noise, evaluations=evaluations)
    assert len(seen) == evaluations
    assert seen == sorted(seen)
    assert max(seen) < 1


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("evaluations", [1, 2, 5])
def test_a_point_mass_is_returned_exactly(kind: str, maker: str, evaluations: int) -> None:
    schedule = MAKERS[maker](intervals(kind, evaluations))
    point = torch.tensor([-3.0, 0.1, 2.5]).view(1, 3, 1, 1)
    x = 9 * torch.ones(1, 3, 1, 1)
    noise = noises(kind, evaluations, x)
    found = SAMPLERS[kind](lambda x, t: point, x, schedule, noise=noise, evaluations=evaluations)
    torch.testing.assert_close(found, point, rtol=0, atol=0)


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("maker", MAKERS)
def test_one_evaluation_of_the_ideal_net_is_the_mean_at_pure_noise(kind: str, maker: str) -> None:
    schedule = MAKERS[maker](1)
    x = start(schedule)
    found = SAMPLERS[kind](gaussian(schedule), x, schedule)
    torch.testing.assert_close(found, torch.full_like(x, MEAN), rtol=0, atol=0.02)


def geometric(path: str, n: int) -> Schedule:
    """n - 1 intervals of the same step in log(sigma / alpha), from 20 to 1e-4, and a last one that hardly matters."""
    ratios = [20 * 5e-6 ** (i / (n - 1)) for i in range(n)]
    norm = {"edm": lambda r: 1, "vp": lambda r: math.hypot(1, r), "straight": lambda r: 1 + r}[path]
    alphas = (*(1 / norm(r) for r in ratios), 1.0)
    return Schedule(tuple(map(float, range(n + 1))), alphas, (*(r / norm(r) for r in ratios), 0.0))


@pytest.mark.parametrize(
    ("kind", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpmpp_2m", 2)]
)
@pytest.mark.parametrize("path", ["edm", "vp", "straight"])
def test_the_error_falls_with_the_order_of_the_method(kind: str, order: int, path: str) -> None:
    def error(n: int) -> float:
        schedule = geometric(path, n)
        x = start(schedule)
        found = SAMPLERS[kind](gaussian(schedule), x, schedule)
        return float((found - exact(x, schedule)).abs().max())

    assert math.log2(error(100) / error(200)) == pytest.approx(order, abs=0.2)


def test_ancestral_sampling_draws_the_distribution_itself_not_the_path() -> None:
    schedule = schedules.uniform(256)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(20_000, 1, 1, 1, generator=generator, dtype=torch.float64)
    w = SAMPLERS["ddpm"](gaussian(schedule), x, schedule, noise=noises("ddpm", 256, x))
    # the standard error of either is 0.003; 256 steps narrow it by 0.006
    assert float(w.mean()) == pytest.approx(MEAN, abs=0.012)
    assert float(w.std()) == pytest.approx(STD, abs=0.02)
    assert abs(float(torch.corrcoef(torch.stack([x.flatten(), w.flatten()]))[0, 1])) < 0.2


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_traced_sampler_equals_the_eager_one(kind: str) -> None:
    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Conv2d(2, 1, 3, padding=1)

        def forward(self, x: Tensor, noise: Tensor) -> Tensor:
            def denoise(x: Tensor, t: float) -> Tensor:
                at = torch.full_like(x, t)
                return self.net(torch.cat([x, at], 1))  # type: ignore[no-any-return]

            schedule = schedules.uniform(intervals(kind, 4))
            drawn = noise.split(1, 1)[: draws(kind, 4)]
            return SAMPLERS[kind](denoise, x, schedule, noise=drawn, evaluations=4)

    torch.manual_seed(0)
    model = Whole()
    with torch.no_grad():
        traced = torch.jit.trace(model, (torch.randn(1, 1, 8, 8), torch.randn(1, 3, 8, 8)))
        x, noise = torch.randn(3, 1, 6, 10), torch.randn(3, 3, 6, 10)
        torch.testing.assert_close(traced(x, noise), model(x, noise), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_schedule_of_other_length_or_missing_noise_is_a_named_error(kind: str) -> None:
    x = torch.ones(1, 1, 1, 1)
    with pytest.raises(ValueError, match=f"{kind} with 4 evaluations walks"):
        SAMPLERS[kind](lambda x, t: x, x, schedules.uniform(7), evaluations=4)
    with pytest.raises(ValueError, match=r"takes \d tensors of noise, got 9"):
        SAMPLERS[kind](lambda x, t: x, x, schedules.uniform(intervals(kind, 3)), noise=[x] * 9)


def test_an_unknown_sampler_and_no_evaluation_are_named_errors() -> None:
    with pytest.raises(ValueError, match="no sampler 'rk4': choose one of ddim, ddpm"):
        intervals("rk4", 4)
    with pytest.raises(ValueError, match="heun needs at least 1 evaluation, got 0"):
        intervals("heun", 0)
