"""Noising processes x_t = α_t w + σ_t ε: what a net is shown of x_t, what it answers, and where a sampler evaluates it.

w (B, P, ny, nx) is what a model is to draw, of unit variance; ε are standard normals of the same shape. Times are
tensors (B,), or (1,) for all samples at once; the loss of every process is the mean square of ``output - target``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from surrogate_training.config import (
    ConsistencyConfig,
    DDPMConfig,
    EDMConfig,
    FlowConfig,
    InterpolantConfig,
    ResidualEDMConfig,
)
from surrogate_training.diffusion import schedules
from surrogate_training.diffusion.schedules import Schedule


class Process(nn.Module, ABC):
    """One of them.

    Attributes
    ----------
    sampler : str
        The sampler that suits it, by name.
    from_noise : bool
        Whether sampling begins at noise; else at 0.
    """

    sampler: str
    from_noise = True

    @abstractmethod
    def times(self, count: int, device: torch.device) -> Tensor:
        """Times (count,) for training, drawn from torch's generator."""

    @abstractmethod
    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ, (B, 1, 1, 1) each, at times (B,)."""

    @abstractmethod
    def level(self, t: Tensor) -> Tensor:
        """What tells the net the noise level, of size 1 or so, (B,)."""

    @abstractmethod
    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the net is to answer to ``noised(w, noise, t)``."""

    @abstractmethod
    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """The estimate of w that an answer to x_t means."""

    @abstractmethod
    def schedule(self, intervals: int) -> Schedule:
        """Where a sampler of so many intervals goes, from noise to data."""

    def noised(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t = α w + σ ε."""
        alpha, sigma = self.coefficients(t)
        return alpha * w + sigma * noise

    def shown(self, x: Tensor, t: Tensor) -> Tensor:
        """x_t as the net sees it, of unit variance."""
        return x


class VariancePreserving(Process):
    """α² + σ² = 1 on discrete levels (Ho, Jain & Abbeel 2020), t = 0 … T - 1 from data to noise."""

    sampler = "ddim"
    LARGEST_BETA = 0.999  # of the cosine schedule, as its authors cut it
    LEAST_SIGNAL = 0.1  # of a net that answers ε: its error shows 1/α times in w, 20000 times at the noisiest level

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.prediction, self.levels = config.prediction, config.timesteps
        if config.schedule == "linear":
            # Ho et al.'s 1e-4 … 0.02 belong to a thousand levels
            first, last = (1000 / config.timesteps * beta for beta in (1e-4, 0.02))
            betas = torch.linspace(first, last, config.timesteps, dtype=torch.float64)
        else:
            t = torch.linspace(0, 1, config.timesteps + 1, dtype=torch.float64)
            products = ((t + 0.008) / 1.008 * torch.pi / 2).cos().square()  # their eq. 17
            betas = (1 - products[1:] / products[:-1]).clamp(max=self.LARGEST_BETA)
        products = (1 - betas).cumprod(0)
        self.products: list[float] = products.tolist()
        self.register_buffer("alphas", products.sqrt().float(), persistent=False)  # (T,)
        self.register_buffer("sigmas", (1 - products).sqrt().float(), persistent=False)

    def times(self, count: int, device: torch.device) -> Tensor:
        """Uniform over the levels."""
        return torch.randint(self.levels, (count,), device=device)

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Process`."""
        level = t.long()
        alphas, sigmas = self.get_buffer("alphas"), self.get_buffer("sigmas")
        return _column(alphas[level]), _column(sigmas[level])

    def level(self, t: Tensor) -> Tensor:
        """T / T."""
        return t.float() / self.levels

    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """ε, w, or v = α ε - σ w (Salimans & Ho 2022, arXiv:2202.00512, section 4)."""
        if self.prediction == "epsilon":
            return noise
        if self.prediction == "sample":
            return w
        alpha, sigma = self.coefficients(t)
        return alpha * noise - sigma * w

    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """See :class:`Process`."""
        if self.prediction == "sample":
            return output
        alpha, sigma = self.coefficients(t)
        if self.prediction == "epsilon":
            return (x - sigma * output) / alpha
        return alpha * x - sigma * output

    def schedule(self, intervals: int) -> Schedule:
        """Evenly spaced levels that begin with the noisiest; of ε with the noisiest that still shows some of w."""
        least = self.LEAST_SIGNAL if self.prediction == "epsilon" else 0.0
        return schedules.vp([a for a in self.products if a >= least**2], intervals)


class VarianceExploding(Process):
    """α = 1, σ = t, preconditioned for σ_data = 1 (Karras et al. 2022, table 1): the net's target has unit variance."""

    sampler = "heun"

    def __init__(self, config: EDMConfig) -> None:
        super().__init__()
        self.config = config

    def times(self, count: int, device: torch.device) -> Tensor:
        """Ln σ is normal."""
        drawn = torch.randn(count, device=device)
        return (self.config.log_mean + self.config.log_std * drawn).exp()

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Process`."""
        sigma = _column(t)
        return torch.ones_like(sigma), sigma

    def level(self, t: Tensor) -> Tensor:
        """Ln(σ) / 4."""
        return t.log() / 4

    def shown(self, x: Tensor, t: Tensor) -> Tensor:
        """c_in x."""
        return x / (1 + _column(t).square()).sqrt()

    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """(w - c_skip x) / c_out, with weight λ c_out² = 1."""
        sigma = _column(t)
        keep, gain = self._preconditioning(sigma)
        return (w - keep * (w + sigma * noise)) / gain

    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """c_skip x + c_out F."""
        keep, gain = self._preconditioning(_column(t))
        return keep * x + gain * output

    def schedule(self, intervals: int) -> Schedule:
        """Their eq. 5."""
        c = self.config
        return schedules.karras(intervals, c.sigma_min, c.sigma_max, c.rho)

    @staticmethod
    def _preconditioning(sigma: Tensor) -> tuple[Tensor, Tensor]:
        """c_skip and c_out."""
        total = 1 + sigma.square()
        return 1 / total, sigma / total.sqrt()


class Straight(Process):
    """α = t, σ = 1 - t, from noise at 0 to data at 1 (Lipman et al. 2022); the net answers the velocity w - ε."""

    sampler = "euler"

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config

    def times(self, count: int, device: torch.device) -> Tensor:
        """Uniform, or the logistic function of a normal."""
        if self.config.times == "logit_normal":
            return torch.randn(count, device=device).sigmoid()
        return torch.rand(count, device=device)

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Process`."""
        alpha = _column(t)
        return alpha, 1 - alpha

    def level(self, t: Tensor) -> Tensor:
        """See :class:`Process`."""
        return t

    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """dx/dt."""
        return w - noise

    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """Where the straight path from x_t ends."""
        return x + (1 - _column(t)) * output

    def schedule(self, intervals: int) -> Schedule:
        """Evenly spaced times."""
        return schedules.uniform(intervals)


class FromPoint(Process):
    """From 0 at 0 to data at 1: x_t = t w + σ (1 - t) √t ε (Chen et al. 2024); the net answers the drift.

    √t ε is Brownian motion at t. The drift is the mean of w - σ √t ε given x_t (their eq. 5).
    """

    sampler = "bridge"
    from_noise = False

    def __init__(self, config: InterpolantConfig) -> None:
        super().__init__()
        self.sigma = config.sigma

    def times(self, count: int, device: torch.device) -> Tensor:
        """Uniform."""
        return torch.rand(count, device=device)

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Process`."""
        alpha = _column(t)
        return alpha, self.sigma * (1 - alpha) * alpha.sqrt()

    def level(self, t: Tensor) -> Tensor:
        """See :class:`Process`."""
        return t

    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The rate of change with the Brownian motion held where it is."""
        return w - self.sigma * _column(t).sqrt() * noise

    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """The drift is (w - x) / (1 - t)."""
        return x + (1 - _column(t)) * output

    def schedule(self, intervals: int) -> Schedule:
        """Evenly spaced times."""
        return schedules.bridge(intervals, self.sigma)


class Distilled(Process):
    """Another process, whose net has learnt to draw: sampling may stop at any of its levels.

    Parameters
    ----------
    process : Process
        That begins at noise.
    levels : int
        Intervals of the schedule that the net was trained on; that of n evaluations is the part of it with n.
    """

    sampler = "consistency"

    def __init__(self, process: Process, levels: int) -> None:
        super().__init__()
        self.process, self.levels = process, levels

    def times(self, count: int, device: torch.device) -> Tensor:
        """The other's."""
        return self.process.times(count, device)

    def coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """The other's."""
        return self.process.coefficients(t)

    def level(self, t: Tensor) -> Tensor:
        """The other's."""
        return self.process.level(t)

    def target(self, w: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """The other's."""
        return self.process.target(w, noise, t)

    def denoised(self, output: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """The other's."""
        return self.process.denoised(output, x, t)

    def shown(self, x: Tensor, t: Tensor) -> Tensor:
        """The other's."""
        return self.process.shown(x, t)

    def schedule(self, intervals: int) -> Schedule:
        """Every so-many-th of the levels."""
        if intervals > self.levels:
            raise ValueError(
                f"{intervals} evaluations of a model distilled on method.levels {self.levels}: ask for at most so many"
            )
        whole = self.process.schedule(self.levels)
        kept = [round(i * self.levels / intervals) for i in range(intervals + 1)]
        times, alphas, sigmas = (
            tuple(values[k] for k in kept) for values in (whole.times, whole.alphas, whole.sigmas)
        )
        return Schedule(times, alphas, sigmas)


Described = (
    DDPMConfig | EDMConfig | FlowConfig | InterpolantConfig | ResidualEDMConfig | ConsistencyConfig
)


def make_process(config: Described) -> Process:
    """The process of a method."""
    if isinstance(config, ConsistencyConfig):
        return Distilled(make_process(config.process), config.levels)
    if isinstance(config, DDPMConfig):
        return VariancePreserving(config)
    if isinstance(config, InterpolantConfig):
        return FromPoint(config)
    return Straight(config) if isinstance(config, FlowConfig) else VarianceExploding(config)


def _column(t: Tensor) -> Tensor:
    """(B,) → (B, 1, 1, 1)."""
    return t[:, None, None, None]
