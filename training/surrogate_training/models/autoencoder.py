"""The autoencoder of latent models: convolutions alone, whose padding follows the boundary condition."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from surrogate_training.models.blocks import (
    CellNorm,
    PaddedConv,
    ResidualBlock,
    Stage,
    Up,
    in_float32,
)

if TYPE_CHECKING:
    from surrogate_training.config import NetConfig

STEM = 2  # cells a side that become channels at the entry
CERTAIN = (
    -6.0
)  # of a variance at first: a decoder that begins among noise learns to ignore its latents
LOWEST, HIGHEST = -30.0, 20.0  # logarithms of variances: their exponentials stay finite


class Autoencoder(nn.Module):
    """Fields ↔ latents of ``factor`` times fewer cells along each axis.

    Residual blocks on every level; space to depth at the finest, strided convolutions to the coarser ones. Norms are
    over the channels of a cell, so encoder and decoder are local, and translations by ``factor`` cells commute with
    them where the domain is periodic.

    Parameters
    ----------
    channels, out_channels : int
        At full resolution: read, and made.
    config : NetConfig
        With ``latents``; boundary and checkpointing.
    embedding : int
        0: an autoencoder reads no parameters.
    """

    def __init__(
        self, channels: int, out_channels: int, config: NetConfig, embedding: int = 0
    ) -> None:
        super().__init__()
        assert config.latents is not None
        assert embedding == 0
        latents, widths = config.latents, config.latents.widths
        pairs = list(pairwise(widths))

        def blocks(width: int) -> Stage:
            made = (ResidualBlock(width, "silu", config.boundary) for _ in range(latents.blocks))
            return Stage(made, checkpointing=config.checkpointing)

        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(STEM),
            PaddedConv(channels * STEM**2, widths[0], config.boundary),
            blocks(widths[0]),
            *(layer for a, b in pairs for layer in (nn.Conv2d(a, b, 2, stride=2), blocks(b))),
            CellNorm(widths[-1]),
        )
        self.to_latents = PaddedConv(widths[-1], 2 * latents.channels, config.boundary)
        if self.to_latents.conv.bias is not None:
            nn.init.constant_(self.to_latents.conv.bias[latents.channels :], CERTAIN)
        self.decoder = nn.Sequential(
            PaddedConv(latents.channels, widths[-1], config.boundary),
            blocks(widths[-1]),
            *(layer for a, b in reversed(pairs) for layer in (Up(b, a), blocks(a))),
            CellNorm(widths[0]),
        )
        self.to_cells = PaddedConv(widths[0], out_channels * STEM**2, config.boundary)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, ny, nx) → means and logarithms of variances of the latents, (B, c, ny / f, nx / f) each."""
        mean, log_variance = in_float32(self.to_latents, self.encoder(x)).chunk(2, 1)
        return mean, log_variance.clamp(LOWEST, HIGHEST)

    def decode(self, latents: Tensor) -> Tensor:
        """(B, c, ny / f, nx / f) → (B, C_out, ny, nx)."""
        cells = in_float32(self.to_cells, self.decoder(latents))
        return functional.pixel_shuffle(cells, STEM)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(B, C, ny, nx) through the means of its latents → (B, C_out, ny, nx)."""
        return self.decode(self.encode(x)[0])
