"""A residual U-Net on a space-to-depth grid."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from surrogate_training.config import ResidualUNetConfig
from surrogate_training.models.blocks import BLOCKS, CellNorm, PaddedConv, Stage, Up, in_float32


class ResidualUNet(nn.Module):
    """U-Net of residual blocks.

    With ``stem`` = 2 every level works at half the resolution of the state: 2×2 cells become channels at the
    entry and cells again at the exit. The last layer starts at zero, so the initial output is zero everywhere.
    Works for any ny, nx that are multiples of ``stem * 2**(levels - 1)``, from ``config.minimum`` blocks of that size.

    Parameters
    ----------
    channels, out_channels : int
        At full resolution.
    config : ResidualUNetConfig
        Widths, blocks, stem, activation and boundary.
    embedding : int
        Length of the embedded parameters that modulate every block; 0: there are none.
    """

    def __init__(
        self, channels: int, out_channels: int, config: ResidualUNetConfig, embedding: int = 0
    ) -> None:
        super().__init__()
        widths, self.stem = config.widths, config.stem
        pairs = list(pairwise(widths))

        def blocks(width: int, count: int) -> Stage:
            block = BLOCKS[config.block]
            made = (
                block(width, config.activation, config.boundary, embedding) for _ in range(count)
            )
            return Stage(made, checkpointing=config.checkpointing)

        self.entry = PaddedConv(channels * self.stem**2, widths[0], config.boundary)
        self.encoder = nn.ModuleList(map(blocks, widths[:-1], config.encoder_blocks[:-1]))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.middle = blocks(widths[-1], config.encoder_blocks[-1])
        self.up = nn.ModuleList(Up(b, a) for a, b in pairs)
        self.decoder = nn.ModuleList(map(blocks, widths[:-1], config.decoder_blocks))
        self.exit_norm = CellNorm(widths[0])
        self.exit = PaddedConv(widths[0], out_channels * self.stem**2, config.boundary)
        nn.init.zeros_(self.exit.conv.weight)
        if self.exit.conv.bias is not None:
            nn.init.zeros_(self.exit.conv.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(B, C, ny, nx) and embedded parameters (B, E) → (B, C_out, ny, nx)."""
        x = functional.pixel_unshuffle(x, self.stem)  # (B, C stem², ny / stem, nx / stem)
        # channels-last in memory: norms over channels become one pass, convolutions need no reordering
        x = self.entry(x.contiguous(memory_format=torch.channels_last))  # (B, W, …)
        skips: list[Tensor] = []
        for encode, down in zip(self.encoder, self.down, strict=True):
            x = encode(x, embedded)
            skips.append(x)
            x = down(x)  # (B, W', ny / 2, nx / 2)
        x = self.middle(x, embedded)
        for level in reversed(range(len(skips))):
            x = self.decoder[level](skips[level] + self.up[level](x), embedded)
        # the last layer stays in full precision: a rounded increment of A_z would be noise in its curl
        x = in_float32(self.exit, self.exit_norm(x))
        return functional.pixel_shuffle(x, self.stem)  # (B, C_out, ny, nx)


def analytic_radius(config: ResidualUNetConfig) -> int:
    """Receptive radius in cells: the bound that NaN propagation must confirm.

    A block at cell size s adds two cells of that size to each side, one of kind convnext three; space-to-depth, the
    strided convolutions and depth-to-space together add what lies between a cell and the far edge of its coarsest
    cell.
    """
    block = BLOCKS[config.block].REACH
    sizes = [config.stem * 2**level for level in range(len(config.widths))]
    reach = 2 * sizes[0]  # entry and exit
    for size, count in zip(sizes, config.encoder_blocks, strict=True):
        reach += block * count * size
    for size, count in zip(sizes[:-1], config.decoder_blocks, strict=True):
        reach += block * count * size
    return int(reach + sizes[-1] - 1)
