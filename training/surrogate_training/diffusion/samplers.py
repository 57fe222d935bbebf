"""Samplers: from noise to a draw of w in a fixed number of evaluations. Pure functions of one signature.

All walk the probability-flow ODE, ``dx/ds = alpha'(s) w(x) + sigma'(s) eps(x)`` with ``eps = (x - alpha w) / sigma``
(Song et al. 2021, arXiv:2011.13456, equation 13; in terms of a denoiser Karras et al. 2022, arXiv:2206.00364,
equation 4), save ``ddpm``, ``bridge`` and ``consistency``, which draw noise at every step. With one evaluation each
returns what the denoiser says at pure noise: the conditional mean, if the denoiser is ideal. Spread and small scales
need more of them. How many: of a Gaussian w of variance 0.3 given the frame (and 1 without), the share of the variance
that an ideal net's draws have is

================================ ==== ==== ====
evaluations                      2    4    8
================================ ==== ==== ====
flow, euler                      0.18 0.48 0.70
flow, dpmpp_2m                   0.18 0.57 0.95
edm, heun, sigma 0.005 … 80      0.00 0.07 4.88
edm, dpmpp_2m, sigma 0.005 … 80  0.00 0.88 1.28
edm, dpmpp_2m, sigma 0.05 … 10   0.02 0.88 1.08
================================ ==== ==== ====

What happens between two neighbouring times depends on (alpha, sigma) at both alone: x / alpha follows an ODE in
sigma / alpha, whichever way the two are joined. Every sampler joins them by a straight line. That is the process itself
for flow matching (t, 1 - t) and for EDM (1, t); for a variance-preserving process it is another road to the same place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from surrogate_training.diffusion.schedules import Bridge, Schedule

Denoiser = Callable[[Tensor, float], Tensor]
"""(x (B, P, ny, nx), t) → estimate of w given x, same shape; t is one of the schedule's times, never the last."""


class Sampler(Protocol):
    """What each function below is."""

    def __call__(
        self,
        denoise: Denoiser,
        x: Tensor,
        schedule: Schedule,
        *,
        noise: Sequence[Tensor] = (),
        evaluations: int | None = None,
    ) -> Tensor:
        """Draw w.

        Parameters
        ----------
        denoise : callable
            The net, as an estimate of w.
        x : Tensor, shape (B, P, ny, nx)
            x at the first time, of noise level ``schedule.sigmas[0]``.
        schedule : Schedule
            Of ``intervals(kind, evaluations)`` intervals.
        noise : sequence of Tensor, each (B, P, ny, nx)
            Standard normal; ``draws(kind, evaluations)`` of them. Samplers of the ODE take none.
        evaluations : int, optional
            How often the net is called; only ``heun`` has a choice, and makes the most that its intervals allow if
            none is given.

        Returns
        -------
        Tensor, shape (B, P, ny, nx)

        Raises
        ------
        ValueError
            If the schedule or the noise is not that of so many evaluations.
        """


def euler(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """Euler's method, first order (algorithm 1 of Karras et al. 2022, arXiv:2206.00364, without its lines 7 and 8)."""
    _check("euler", schedule, noise, evaluations)
    for i in range(len(schedule)):
        x = _move(x, denoise(x, schedule.times[i]), schedule, i)
    return x


def ddim(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """DDIM without noise (Song, Meng & Ermon 2021, arXiv:2010.02502, equation 12 with their sigma = 0).

    It keeps w and eps over an interval and takes new alpha and sigma: Euler's method along the straight line, and the
    exponential integrator of first order in log(alpha / sigma) (Lu et al. 2022, arXiv:2206.00927, section 4.1).
    """
    _check("ddim", schedule, noise, evaluations)
    return euler(denoise, x, schedule)


def heun(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """Heun's method, second order (Karras et al. 2022, arXiv:2206.00364, algorithm 1).

    n intervals take at most 2 n - 1 evaluations: the last one ends at sigma = 0, where eps is not defined, with Euler.
    An even number leaves the last but one to Euler too.
    """
    _check("heun", schedule, noise, evaluations)
    n = len(schedule)
    corrected = n - 1 if evaluations is None else evaluations - n
    for i in range(n):
        w = denoise(x, schedule.times[i])
        ahead = _move(x, w, schedule, i)
        if i < corrected:
            there = _step(ahead, denoise(ahead, schedule.times[i + 1]), schedule, i, at=i + 1)
            x = x + 0.5 * (_step(x, w, schedule, i, at=i) + there)
        else:
            x = ahead
    return x


def ddpm(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """Ancestral sampling: each step draws from the posterior between two noise levels, given w.

    Ho, Jain & Abbeel 2020 (arXiv:2006.11239), algorithm 2 with the variance of equation 7, here between any two levels
    (Kingma et al. 2021, arXiv:2107.00630, equations 25 to 28 of its appendix A).
    """
    _check("ddpm", schedule, noise, evaluations)
    for i in range(len(schedule)):
        w = denoise(x, schedule.times[i])
        (a, b), (s, r) = schedule.alphas[i : i + 2], schedule.sigmas[i : i + 2]
        scale = a / b  # alpha of the noising from the next level to this one; its variance:
        added = s**2 - (scale * r) ** 2
        x = (scale * r**2 / s**2) * x + (b * added / s**2) * w
        if i < len(noise):
            x = x + (math.sqrt(added) * r / s) * noise[i]
    return x


def dpmpp_2m(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """DPM-Solver++ (2M): second order from the previous interval's w (Lu et al. 2022, arXiv:2211.01095, algorithm 2).

    First order in the first interval, which has no previous one, and in the last, which ends at sigma = 0.
    """
    _check("dpmpp_2m", schedule, noise, evaluations)
    levels = [_log_ratio(a, s) for a, s in zip(schedule.alphas, schedule.sigmas, strict=True)]
    before: Tensor | None = None
    for i in range(len(schedule)):
        w = target = denoise(x, schedule.times[i])
        if before is not None and i < len(schedule) - 1:
            # h_i / (2 h_(i-1)); 0 after an interval that began at alpha = 0, infinitely far away
            lean = (levels[i + 1] - levels[i]) / (2 * (levels[i] - levels[i - 1]))
            target = (1 + lean) * w - lean * before
        x = _move(x, target, schedule, i)
        before = w
    return x


def bridge(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """Euler and Maruyama's method for an interpolant's stochastic equation (Chen et al. 2024, arXiv:2403.13724, eq. 4).

    dX = (w(X, t) - X) / (1 - t) dt + rate(t) dB from X = 0; the last step ends at w, without noise. The method's error
    makes draws wider, its last step narrower: of a Gaussian w of variance V the share of the variance that an ideal
    net's draws have is

    ============== ==== ==== ==== ====
    evaluations    2    3    4    8
    ============== ==== ==== ==== ====
    sigma² = V     0.89 0.96 0.98 0.99
    sigma² = 2 V   1.00 1.07 1.07 1.04
    sigma² = 4 V   0.89 1.07 1.08 1.05
    sigma² = 10 V  0.56 0.85 0.97 1.02
    ============== ==== ==== ==== ====
    """
    if not isinstance(schedule, Bridge):
        raise ValueError(
            "sampler bridge walks a Bridge, a schedule from a point: see schedules.bridge"
        )
    _check("bridge", schedule, noise, evaluations)
    for i in range(len(schedule)):
        w = denoise(x, schedule.times[i])
        here, there = schedule.times[i : i + 2]
        x = x + (there - here) / (1 - here) * (w - x)
        if i < len(noise):
            x = x + schedule.rates[i] * math.sqrt(there - here) * noise[i]
    return x


def consistency(
    denoise: Denoiser,
    x: Tensor,
    schedule: Schedule,
    *,
    noise: Sequence[Tensor] = (),
    evaluations: int | None = None,
) -> Tensor:
    """Multistep consistency sampling: draw, noise again to the next level, draw again.

    Song et al. 2023 (arXiv:2303.01469), algorithm 1. The net's estimate is a draw of w itself, not its mean: see method
    ``consistency``.
    """
    _check("consistency", schedule, noise, evaluations)
    for i in range(len(schedule)):
        w = denoise(x, schedule.times[i])
        if i < len(noise):
            x = schedule.alphas[i + 1] * w + schedule.sigmas[i + 1] * noise[i]
    return w


SAMPLERS: dict[str, Sampler] = {
    "euler": euler,
    "heun": heun,
    "ddim": ddim,
    "ddpm": ddpm,
    "dpmpp_2m": dpmpp_2m,
}
"""By the recipe's ``sampler.kind``: each suits every process that begins at noise."""
EVERY: dict[str, Sampler] = {**SAMPLERS, "bridge": bridge, "consistency": consistency}
STOCHASTIC = ("ddpm", "bridge", "consistency")
"""Those that draw noise after every step but the last."""


def intervals(kind: str, evaluations: int) -> int:
    """Intervals that a schedule must have for a sampler to call the net so often.

    Raises
    ------
    ValueError
        If there is no such sampler, or fewer than 1 evaluation.
    """
    if kind not in EVERY:
        raise ValueError(f"no sampler {kind!r}: choose one of {', '.join(sorted(SAMPLERS))}")
    if evaluations < 1:
        raise ValueError(f"sampler {kind} needs at least 1 evaluation, got {evaluations}")
    return evaluations // 2 + 1 if kind == "heun" else evaluations


def draws(kind: str, evaluations: int) -> int:
    """Tensors of noise that a sampler takes beside the x it starts from; errors as for ``intervals``."""
    return intervals(kind, evaluations) - 1 if kind in STOCHASTIC else 0


def _move(x: Tensor, w: Tensor, schedule: Schedule, i: int) -> Tensor:
    """To the end of interval i with w and eps kept: alpha w + sigma eps there, written without dividing x by sigma."""
    (a, b), (s, r) = schedule.alphas[i : i + 2], schedule.sigmas[i : i + 2]
    return (r / s) * x + (b - a * r / s) * w


def _step(x: Tensor, w: Tensor, schedule: Schedule, i: int, *, at: int) -> Tensor:
    """What interval i adds to x, by the slope (w, eps) found at point ``at``."""
    (a, b), (s, r) = schedule.alphas[i : i + 2], schedule.sigmas[i : i + 2]
    eps = (x - schedule.alphas[at] * w) / schedule.sigmas[at]
    return (b - a) * w + (r - s) * eps


def _log_ratio(alpha: float, sigma: float) -> float:
    """log(alpha / sigma), half the logarithm of the signal-to-noise ratio."""
    if alpha == 0:
        return -math.inf
    return math.inf if sigma == 0 else math.log(alpha / sigma)


def _check(kind: str, schedule: Schedule, noise: Sequence[Tensor], evaluations: int | None) -> None:
    n = len(schedule)
    asked = (2 * n - 1 if kind == "heun" else n) if evaluations is None else evaluations
    if intervals(kind, asked) != n:
        raise ValueError(
            f"sampler {kind} with {asked} evaluations walks {intervals(kind, asked)} intervals,"
            f" but its schedule has {n}"
        )
    if len(noise) != draws(kind, asked):
        raise ValueError(
            f"sampler {kind} with {asked} evaluations takes {draws(kind, asked)} tensors of noise, got {len(noise)}"
        )
