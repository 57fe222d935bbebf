"""Sections of latent models: the autoencoder's shape, and what its training minimises."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from surrogate_training.config.section import Section

LARGEST_GROWTH = 4  # channels of a level stop growing at four times the first one's


class Latents(Section):
    """Shape of an autoencoder; that of a latent model is the one of the run that it takes its autoencoder from.

    Attributes
    ----------
    factor : int
        Cells a side of a latent cell.
    channels : int
        Numbers of a latent cell.
    width : int
        Channels of the finest level, which is at half the resolution; they double from level to level.
    blocks : int
        Residual blocks of a level, in the encoder and in the decoder.
    """

    factor: Literal[2, 4, 8, 16] = 4
    channels: int = Field(default=8, ge=1)
    width: int = Field(default=32, ge=1)
    blocks: int = Field(default=1, ge=0)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the levels, from the finest on."""
        levels = self.factor.bit_length() - 1
        return tuple(self.width * min(2**level, LARGEST_GROWTH) for level in range(levels))


class VAEConfig(Section):
    """Variational autoencoder (Kingma & Welling 2013, arXiv:1312.6114) of single frames.

    Minimises the mean square error of the standardised fields, plus ``kl`` times the divergence of a latent number from
    a standard normal (mean over latents), plus ``gradient`` times the error of differences between neighbouring cells,
    relative to those of the frame.

    Attributes
    ----------
    kl : float
        Small: it only keeps latents bounded and smooth (Rombach et al. 2022, arXiv:2112.10752, section 3.1).
    gradient : float
        Weighs small scales, which hardly count in a mean square.
    noise : float
        Input noise in units of each field's std, of the frame at t1, which this method does not read.
    """

    kind: Literal["vae"] = "vae"
    kl: float = Field(default=1e-4, ge=0)
    gradient: float = Field(default=0.0, ge=0)
    noise: float = Field(default=0.0, ge=0)
