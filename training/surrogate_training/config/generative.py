"""Methods of section ``method`` that learn a distribution of frames instead of one frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag

from surrogate_training.config.section import Section, by_kind


class Generative(Section):
    """What all of them share.

    Attributes
    ----------
    noise : float
        Input noise in units of each field's std.
    start : str
        Run folder, relative to the repository, whose generator training begins from; export and resume need it not.
    condition_dropout : float
        Share of the samples that are trained without the frame at t1, parameters and caption: classifier-free guidance
        (Ho & Salimans 2022, arXiv:2207.12598) needs some, 0.1 say. A program with guidance costs two passes of the net
        an evaluation.
    autoencoder : str
        Run folder of method ``vae``, relative to the repository, on whose latents a model with ``model.latents`` works
        (with ``start``: the autoencoder of that run instead); export and resume need it not.
    """

    noise: float = Field(default=0.0, ge=0)
    start: str = ""
    autoencoder: str = ""
    condition_dropout: float = Field(default=0.0, ge=0, lt=1)


class DDPMConfig(Generative):
    """Denoising diffusion (Ho, Jain & Abbeel 2020, arXiv:2006.11239).

    Attributes
    ----------
    prediction : {"epsilon", "sample", "v"}
        What the net returns: the noise ε; the clean w (often x0); or v = α ε - σ w (Salimans & Ho 2022).
    schedule : {"cosine", "linear"}
        Of α̅ (Nichol & Dhariwal 2021; Ho et al. 2020).
    timesteps : int
        Noise levels in training.
    """

    kind: Literal["ddpm"] = "ddpm"
    prediction: Literal["epsilon", "sample", "v"] = "v"
    schedule: Literal["cosine", "linear"] = "cosine"
    timesteps: int = Field(default=1000, ge=2)


class EDMConfig(Generative):
    """Karras, Aittala, Aila & Laine 2022 (arXiv:2206.00364), with σ_data = 1: w has unit variance.

    Attributes
    ----------
    log_mean, log_std : float
        Of the normal distribution of ln σ in training (their P_mean, P_std; their values belong to σ_data = 0.5).
    sigma_min, sigma_max, rho : float
        Of the sampler's noise levels (their eq. 5).
    """

    kind: Literal["edm"] = "edm"
    log_mean: float = -0.5
    log_std: float = Field(default=1.2, gt=0)
    sigma_min: float = Field(default=0.005, gt=0)
    sigma_max: float = Field(default=80.0, gt=0)
    rho: float = Field(default=7.0, gt=0)


class FlowConfig(Generative):
    """Conditional flow matching on straight paths x_t = (1 - t) ε + t w (Lipman et al. 2022, arXiv:2210.02747).

    Attributes
    ----------
    times : {"uniform", "logit_normal"}
        Distribution of t in training (the latter: Esser et al. 2024).
    """

    kind: Literal["flow"] = "flow"
    times: Literal["uniform", "logit_normal"] = "uniform"


class InterpolantConfig(Generative):
    """Stochastic interpolant from the frame at t1 (Chen et al. 2024, arXiv:2403.13724).

    The process starts at the frame itself: x_s = (1 - s) w1 + s w + σ (1 - s) W_s, with W Brownian motion and w1 what
    stands for the frame at t1 (0 where the increment is predicted). It is sampled by its stochastic equation.

    Attributes
    ----------
    sigma : float
        Size of the noise, in units of w: once to twice the standard deviation of w given the frame at t1 draws the
        right spread in 2 to 4 evaluations (see ``diffusion/samplers.py``).
    """

    kind: Literal["interpolant"] = "interpolant"
    sigma: float = Field(default=1.0, gt=0)


class ResidualEDMConfig(EDMConfig):
    """Regression for the mean, ``edm`` for what it misses (Mardani et al. 2023, arXiv:2309.15214).

    ``start`` names the regression run, of the same data and net; its weights stay as they are.
    """

    kind: Literal["residual-edm"] = "residual-edm"  # type: ignore[assignment]


class CRPSConfig(Generative):
    """One evaluation a member: a regression net with noise inputs, tuned under the fair CRPS.

    After Lang et al. 2024 (AIFS-CRPS, arXiv:2412.15832) and Alet et al. 2025 (FGN, arXiv:2506.10772).

    Attributes
    ----------
    start : str
        Regression run that it begins from; empty: from scratch.
    members : int
        Frames drawn a sample in training.
    noise_channels : int
        Channels of the noise input, beside the features.
    fairness : float
        α of the almost fair CRPS: α fair + (1 - α) of the ordinary one.
    space : {"scaled", "physical"}
        Values that are compared: w, or the frame in units of its increment's standard deviation.
    scales : tuple of int
        Sides of the squares, in cells, over whose means members and truth are compared, each counting alike. Single
        cells alone (1) say nothing of how neighbours go together.
    """

    kind: Literal["crps"] = "crps"
    members: int = Field(default=2, ge=2)
    noise_channels: int = Field(default=4, ge=1)
    fairness: float = Field(default=0.95, gt=0, le=1)
    space: Literal["scaled", "physical"] = "scaled"
    scales: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1,), min_length=1)


class ConsistencyConfig(Generative):
    """A sampler of many evaluations distilled into 1 to 4 (Song, Dhariwal, Chen & Sutskever 2023, arXiv:2303.01469).

    Attributes
    ----------
    start : str
        Run of ``ddpm``, ``edm`` or ``flow``, its teacher.
    process : section
        That run's section ``method``: what lies between noise and data.
    levels : int
        Intervals from noise to data, each of which the teacher walks by one step of Heun's method.
    """

    kind: Literal["consistency"] = "consistency"
    process: Annotated[
        Annotated[DDPMConfig, Tag("ddpm")]
        | Annotated[EDMConfig, Tag("edm")]
        | Annotated[FlowConfig, Tag("flow")],
        by_kind("flow"),
    ] = FlowConfig()
    levels: int = Field(default=16, ge=2)
