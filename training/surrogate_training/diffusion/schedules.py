"""Schedules: the times of a sampler, from noise to data, with the noising process x = α w + σ ε at each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Spacing = Literal["leading", "trailing"]


@dataclass(frozen=True)
class Schedule:
    """The n intervals of a sampler. Python floats throughout, so that a traced program holds them as constants.

    Parameters
    ----------
    times : tuple of float, length n + 1
        What the net is told at each point, in the process' own measure. The last one belongs to the data: no net is
        asked there.
    alphas, sigmas : tuple of float, length n + 1
        x = alpha w + sigma eps at those times, of a w that has unit variance; sigma decreases, and the last pair is
        (1, 0).

    Raises
    ------
    ValueError
        If the three differ in length, hold no interval, do not decrease in sigma or do not end at (1, 0).
    """

    times: tuple[float, ...]
    alphas: tuple[float, ...]
    sigmas: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = len(self.times), len(self.alphas), len(self.sigmas)
        if len(set(lengths)) > 1 or lengths[0] < 2:
            raise ValueError(
                f"a schedule of {lengths[0]} times, {lengths[1]} alphas and {lengths[2]} sigmas:"
                " give as many of each, and at least 2"
            )
        self._check_noise()
        if (self.alphas[-1], self.sigmas[-1]) != (1.0, 0.0):
            raise ValueError(
                f"a schedule must end at the data, alpha = 1 and sigma = 0, got {self.alphas[-1]}, {self.sigmas[-1]}"
            )

    def __len__(self) -> int:
        """Number of intervals."""
        return len(self.times) - 1

    def _check_noise(self) -> None:
        if any(b >= a for a, b in pairwise(self.sigmas)):
            raise ValueError(
                f"the sigmas of a schedule must decrease from noise to data, got {self.sigmas}"
            )


@dataclass(frozen=True)
class Bridge(Schedule):
    """From a known point, 0, to the data: there is no noise at either end, (alpha, sigma) = (0, 0) and (1, 0).

    Parameters
    ----------
    rates : tuple of float, length n + 1
        Noise that the process takes up at each time, per root of time.
    """

    rates: tuple[float, ...]

    def _check_noise(self) -> None:
        if (self.alphas[0], self.sigmas[0]) != (0.0, 0.0):
            raise ValueError(
                f"a bridge begins at alpha = 0 and sigma = 0, got {self.alphas[0]}, {self.sigmas[0]}"
            )


def karras(n: int, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> Schedule:
    """EDM's: alpha = 1 and time = sigma, equally spaced in sigma^(1 / rho) from sigma_max to sigma_min, then 0.

    Karras et al. 2022 (arXiv:2206.00364), equation 5. A single interval starts at sigma_max.

    Raises
    ------
    ValueError
        If n < 1.
    """
    _at_least_one(n)
    first, last = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    ramp = [(first + i / max(n - 1, 1) * (last - first)) ** rho for i in range(n)]
    sigmas = (*ramp, 0.0)
    return Schedule(sigmas, (1.0,) * (n + 1), sigmas)


def uniform(n: int) -> Schedule:
    """Flow matching's: alpha = t and sigma = 1 - t, t equally spaced from 0 to 1.

    The straight path of Lipman et al. 2023 (arXiv:2210.02747), equation 20 with their sigma_min = 0.

    Raises
    ------
    ValueError
        If n < 1.
    """
    _at_least_one(n)
    times = tuple(i / n for i in range(n + 1))
    return Schedule(times, times, tuple((n - i) / n for i in range(n + 1)))


def vp(alphas_cumprod: Sequence[float], n: int, spacing: Spacing = "trailing") -> Schedule:
    """DDPM's, variance preserving: alpha² = alphas_cumprod and sigma² = 1 - alpha² at n of its T steps.

    Ho et al. 2020 (arXiv:2006.11239), equation 4. Which n: Lin et al. 2024 (arXiv:2305.08891), table 2.

    Parameters
    ----------
    alphas_cumprod : sequence of float, length T
        Product of (1 - beta) up to each step; decreases from about 1 to about 0.
    n : int
        Number of intervals, at most T.
    spacing : {"trailing", "leading"}
        ``trailing`` begins at the noisiest step T - 1 whatever n is; ``leading`` holds step 0 instead and begins at
        (n - 1) (T // n), where for small n the process still shows the data: as in the papers before 2023, n near T.

    Returns
    -------
    Schedule
        Its times are the steps' indices; the last one, of the data, is -1.

    Raises
    ------
    ValueError
        If n < 1 or n > T.
    """
    _at_least_one(n)
    steps = len(alphas_cumprod)
    if n > steps:
        raise ValueError(
            f"{n} intervals of a noising process that has {steps} steps: ask for at most {steps}"
        )
    if spacing == "leading":
        chosen = [i * (steps // n) for i in reversed(range(n))]
    else:
        chosen = [round(steps * (n - i) / n) - 1 for i in range(n)]
    kept = [float(alphas_cumprod[i]) for i in chosen]
    return Schedule(
        (*map(float, chosen), -1.0),
        (*(math.sqrt(a) for a in kept), 1.0),
        (*(math.sqrt(1 - a) for a in kept), 0.0),
    )


def bridge(n: int, sigma: float) -> Bridge:
    """A stochastic interpolant's: alpha = t and noise sigma (1 - t) W_t, W Brownian motion, t equally spaced.

    Chen et al. 2024 (arXiv:2403.13724), equation 3 with alpha = 1 - s, beta = s and sigma proportional to 1 - s, less
    its starting point.

    Raises
    ------
    ValueError
        If n < 1.
    """
    _at_least_one(n)
    times = tuple(i / n for i in range(n + 1))
    rates = tuple(sigma * (1 - t) for t in times)
    sigmas = tuple(rate * math.sqrt(t) for rate, t in zip(rates, times, strict=True))
    return Bridge(times, times, sigmas, rates)


def _at_least_one(n: int) -> None:
    if n < 1:
        raise ValueError(f"a schedule needs at least 1 interval, got {n}")
