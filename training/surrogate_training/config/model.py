"""Section ``model``: the generator."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag, model_validator

from surrogate_training.config.dit import DiTConfig
from surrogate_training.config.latent import Latents
from surrogate_training.config.net import NetConfig
from surrogate_training.config.section import by_kind

PRESETS = {
    "small": {"widths": (32, 64, 96), "encoder_blocks": (1, 1, 2), "decoder_blocks": (1, 1)},
    "medium": {"widths": (48, 96, 192), "encoder_blocks": (2, 2, 4), "decoder_blocks": (2, 2)},
}
"""Of the residual U-Net: keys that a recipe does not give itself.

For six fields in and one out on 128² cells, 2 FLOP a multiply-add; radius is the receptive field to each side:

========== ======== ===== ===== =============
preset     block    M     GFLOP radius, cells
========== ======== ===== ===== =============
small      residual 0.59  0.9    67
small      convnext 0.33  0.5    95
medium     residual 3.7   4.3   123
medium     convnext 1.8   2.2   179
(unet_128)          41.8  3.0   everything
========== ======== ===== ===== =============
"""


class ResidualUNetConfig(NetConfig):
    """A residual U-Net on a space-to-depth grid. Widths go from the finest level to the coarsest.

    ``block`` is a pre-norm residual block of two 3×3 convolutions, or ``convnext``: a depthwise 7×7 convolution, norm
    and a channel MLP of four times the width (Liu et al. 2022, arXiv:2201.03545).
    """

    kind: Literal["residual_unet"] = "residual_unet"
    preset: Literal["small", "medium"] | None = None
    block: Literal["residual", "convnext"] = "residual"
    stem: int = Field(default=2, ge=1)
    widths: tuple[int, ...] = (32, 96, 128)
    encoder_blocks: tuple[int, ...] = (1, 2, 2)
    decoder_blocks: tuple[int, ...] = (1, 2)
    activation: Literal["silu", "gelu"] = "silu"

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("preset") in PRESETS:
            return PRESETS[given["preset"]] | given
        return given

    @property
    def minimum(self) -> int:
        """Least number of blocks of ``multiple`` cells along an axis: more than padding copies of the coarsest."""
        return 4 if self.block == "convnext" else 2

    @model_validator(mode="after")
    def _levels(self) -> ResidualUNetConfig:
        n = len(self.widths)
        if len(self.encoder_blocks) != n or len(self.decoder_blocks) != n - 1:
            raise ValueError(
                f"widths has {n} levels, so encoder_blocks needs {n} entries and decoder_blocks "
                f"{n - 1}; given {len(self.encoder_blocks)} and {len(self.decoder_blocks)}"
            )
        return self

    @property
    def multiple(self) -> int:
        """Ny and nx must be multiples of this."""
        return int(self.stem * 2 ** (len(self.widths) - 1)) * self.coarsening


class UNetConfig(NetConfig):
    """The U-Net of pix2pix (Isola et al. 2017, arXiv:1611.07004): whole frames only.

    Attributes
    ----------
    levels : int
        Halvings: 8 is the paper's unet_256, 7 its unet_128.
    base : int
        Channels of the first level.
    norm : {"batch", "instance", "none"}
        Batch norm is exported with its running statistics; instance norm takes them from the frame at hand.
    dropout : {"off", "training", "noise"}
        Half of three inner levels' channels are dropped never; in training alone; or also when it predicts, by masks
        that are a noise input of the program.
    tanh : bool
        Bound the output to (-1, 1), in units of the scaled field (see ``data.fields[].scaling``).
    """

    kind: Literal["unet"] = "unet"
    levels: int = Field(default=8, ge=2)
    base: int = Field(default=64, ge=1)
    norm: Literal["batch", "instance", "none"] = "batch"
    dropout: Literal["off", "training", "noise"] = "off"
    tanh: bool = False

    whole_frames: ClassVar[bool] = True

    @model_validator(mode="after")
    def _possible(self) -> UNetConfig:
        if self.tanh and self.target != "frame":
            raise ValueError(
                "model.tanh: true bounds a frame, in units of the scaled field; given target: "
                f"{self.target}; set model.target: frame, or tanh: false"
            )
        if self.checkpointing and self.norm == "batch":
            raise ValueError(
                "model.checkpointing: true computes every level twice, and batch norm would count each batch twice in "
                "its running statistics; set model.norm: instance, or checkpointing: false"
            )
        return self

    @property
    def minimum(self) -> int:
        """Least number of blocks of ``multiple`` cells along an axis."""
        return 1

    @property
    def multiple(self) -> int:
        """Ny and nx must be multiples of this."""
        return int(2**self.levels)


class AutoencoderConfig(NetConfig):
    """What method ``vae`` trains: frames to ``latents`` and back."""

    kind: Literal["autoencoder"] = "autoencoder"
    target: Literal["frame"] = "frame"
    latents: Latents = Latents()

    @property
    def minimum(self) -> int:
        """Least number of blocks of ``multiple`` cells along an axis."""
        return 1

    @property
    def multiple(self) -> int:
        """Ny and nx must be multiples of this."""
        return self.latents.factor


Model = Annotated[
    Annotated[ResidualUNetConfig, Tag("residual_unet")]
    | Annotated[UNetConfig, Tag("unet")]
    | Annotated[DiTConfig, Tag("dit")]
    | Annotated[AutoencoderConfig, Tag("autoencoder")],
    by_kind("residual_unet"),
]
