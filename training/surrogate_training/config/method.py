"""Section ``method``: what is minimised."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator

from surrogate_training.config.generative import (
    ConsistencyConfig,
    CRPSConfig,
    DDPMConfig,
    EDMConfig,
    FlowConfig,
    InterpolantConfig,
    ResidualEDMConfig,
)
from surrogate_training.config.latent import VAEConfig
from surrogate_training.config.section import Section, by_kind


class Unroll(Section):
    """Push-forward training (Brandstetter, Worrall & Welling 2022, arXiv:2202.03376).

    From step ``start`` on, a sample is ``jumps`` frames long. With ``push_forward`` the gradient flows through the
    last jump alone, the ones before only make its input; else the loss is the mean over all jumps, with full gradient.
    """

    jumps: int = Field(default=1, ge=1)
    start: int = Field(default=0, ge=0)
    push_forward: bool = True


class RegressionConfig(Section):
    """The conditional mean (``relative_l2``, ``mse``) or median (``mae``) of the next frame.

    ``space: scaled`` takes ``mse`` and ``mae`` of values that ``data.fields[].scaling`` has scaled: the mean of asinh
    values, where the few strongest of a field with long tails do not outweigh all others.
    """

    kind: Literal["regression"] = "regression"
    loss: Literal["relative_l2", "mse", "mae"] = "relative_l2"
    space: Literal["physical", "scaled"] = "physical"
    noise: float = Field(
        default=0.005, ge=0, description="input noise in units of each field's std"
    )
    potential_weight: float = Field(default=0.25, ge=0, description="weight of A_z itself")
    unroll: Unroll = Unroll()

    @model_validator(mode="after")
    def _space_of_differences(self) -> RegressionConfig:
        if self.space == "scaled" and self.loss == "relative_l2":
            raise ValueError(
                "method.space: scaled, but loss relative_l2 is of physical values; set loss: mse, or mae"
            )
        return self


class Discriminator(Section):
    """PatchGAN: ``layers`` = 3 judges patches of 70×70 cells, 0 single cells.

    ``norm`` and ``spectral_norm`` (Miyato et al. 2018, arXiv:1802.05957) may be combined.
    """

    layers: int = Field(default=3, ge=0)
    base: int = Field(default=64, ge=1)
    norm: Literal["batch", "instance", "none"] = "batch"
    spectral_norm: bool = False


class Pix2PixConfig(Section):
    """Conditional adversarial training (Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004).

    The defaults are the paper's: G* = arg min_G max_D L_cGAN(G, D) + λ L_L1(G), λ = 100, the vanilla objective with
    the non-saturating generator's loss, and D's loss halved.

    Attributes
    ----------
    gan : {"vanilla", "lsgan", "hinge"}
        Cross entropy; least squares (Mao et al. 2017); hinge (Lim & Ye 2017).
    lambda_l1 : float
        Weight of the mean absolute error, in scaled units.
    l1_warmup : int
        Steps that train the generator by L1 alone before the discriminator takes part.
    r1 : float
        γ of the gradient penalty γ/2 E|∇D(real)|² (Mescheder et al. 2018); 0: none.
    discriminator_learning_rate : float, optional
        Default: the generator's.
    """

    kind: Literal["pix2pix"] = "pix2pix"
    gan: Literal["vanilla", "lsgan", "hinge"] = "vanilla"
    lambda_l1: float = Field(default=100.0, ge=0)
    l1_warmup: int = Field(default=0, ge=0)
    r1: float = Field(default=0.0, ge=0)
    noise: float = Field(default=0.0, ge=0, description="input noise in units of each field's std")
    discriminator: Discriminator = Discriminator()
    discriminator_learning_rate: float | None = Field(default=None, gt=0)


class TemplateConfig(Section):
    """Of ``methods/template.py``, which is there to be copied: regression by the Charbonnier loss.

    Attributes
    ----------
    epsilon : float
        Error at which the loss turns from quadratic to linear, in units of the increment's standard deviation.
    """

    kind: Literal["template"] = "template"
    noise: float = Field(
        default=0.005, ge=0, description="input noise in units of each field's std"
    )
    epsilon: float = Field(default=0.1, gt=0)


class ClipConfig(Section):
    """Contrastive training of a text and a field encoder (Radford et al. 2021, arXiv:2103.00020).

    Attributes
    ----------
    noise : float
        Input noise in units of each field's std.
    embedding : int
        Length of the vectors that are compared.
    widths : tuple of int
        Channels of the field encoder, a level each.
    temperature : float
        Of the softmax, at first; it is learnt.
    """

    kind: Literal["clip"] = "clip"
    noise: float = Field(default=0.0, ge=0)
    embedding: int = Field(default=64, ge=1)
    widths: tuple[int, ...] = Field(default=(32, 64, 96), min_length=1)
    temperature: float = Field(default=0.07, gt=0)


Method = Annotated[
    Annotated[RegressionConfig, Tag("regression")]
    | Annotated[Pix2PixConfig, Tag("pix2pix")]
    | Annotated[TemplateConfig, Tag("template")]
    | Annotated[DDPMConfig, Tag("ddpm")]
    | Annotated[EDMConfig, Tag("edm")]
    | Annotated[FlowConfig, Tag("flow")]
    | Annotated[InterpolantConfig, Tag("interpolant")]
    | Annotated[ResidualEDMConfig, Tag("residual-edm")]
    | Annotated[CRPSConfig, Tag("crps")]
    | Annotated[ConsistencyConfig, Tag("consistency")]
    | Annotated[ClipConfig, Tag("clip")]
    | Annotated[VAEConfig, Tag("vae")],
    by_kind("regression"),
]
