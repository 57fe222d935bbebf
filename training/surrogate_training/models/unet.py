"""The U-Net generator of pix2pix (Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004, appendix 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from surrogate_training.config import UNetConfig

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "none": lambda _: nn.Identity(),
}
LARGEST_FACTOR = 8  # channels stop growing at eight times the base
DROPOUT_LEVELS = 3  # next to the innermost


class UNet(nn.Module):
    """Encoder of strided 4×4 convolutions, decoder of transposed ones, a skip at every level.

    Channels of the encoder are 1, 2, 4, 8, 8, … times `features`. Convolutions pad with zeros: the net knows where
    the domain ends, whatever its boundary condition. With eight levels on 256² cells the innermost map is one cell, so
    every output depends on the whole domain; such a net cannot be tiled.

    Parameters
    ----------
    channels, out_channels : int
        At full resolution.
    levels : int
        Halvings; ny and nx must be multiples of ``2**levels``: 8 is the paper's unet_256, 7 its unet_128.
    features : int
        Channels of the first level.
    norm : {"batch", "instance", "none"}
        Instance and batch norm reduce over space; instance norm has no statistics to drift between training and use.
    dropout : bool
        Half of the channels of three inner decoder levels are dropped in training.
    tanh : bool
        Bound the output to (-1, 1), as for images; normalised increments are unbounded.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        levels: int = 8,
        features: int = 64,
        norm: str = "batch",
        dropout: bool = False,
        tanh: bool = False,
    ) -> None:
        super().__init__()
        widths = [features * min(2**level, LARGEST_FACTOR) for level in range(levels)]
        entries = [channels, *widths[:-1]]
        innermost = levels - 1
        bias = norm != "batch"  # a batch norm's shift makes another one idle
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Identity() if level == 0 else nn.LeakyReLU(0.2),
                nn.Conv2d(entries[level], width, 4, 2, 1, bias=bias),
                nn.Identity() if level in (0, innermost) else NORMS[norm](width),
            )
            for level, width in enumerate(widths)
        )
        self.up = nn.ModuleList(
            self._up(width * (1 if level == innermost else 2), entries[level], norm, bias)
            for level, width in enumerate(widths)
            if level > 0
        )
        self.dropout = nn.Dropout(0.5 if dropout else 0.0)
        self.dropped = range(innermost - DROPOUT_LEVELS, innermost)
        self.exit = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(2 * widths[0], out_channels, 4, 2, 1),
            nn.Tanh() if tanh else nn.Identity(),
        )

    @staticmethod
    def _up(channels: int, out_channels: int, norm: str, bias: bool) -> nn.Sequential:
        return nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(channels, out_channels, 4, 2, 1, bias=bias),
            NORMS[norm](out_channels),
        )

    @classmethod
    def from_config(cls, channels: int, out_channels: int, config: UNetConfig) -> UNet:
        """The net that a recipe's ``model`` section describes."""
        return cls(
            channels,
            out_channels,
            levels=config.levels,
            features=config.base,
            norm=config.norm,
            dropout=config.dropout == "training",
            tanh=config.tanh,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → (B, C_out, ny, nx)."""
        skips: list[Tensor] = []
        for down in self.down:
            x = down(x)  # (B, W, ny / 2, nx / 2)
            skips.append(x)
        x = skips.pop()
        for level in reversed(range(len(self.up))):
            x = self.up[level](x)  # (B, W, 2 ny, 2 nx)
            if level in self.dropped:
                x = self.dropout(x)
            x = torch.cat([skips.pop(), x], 1)  # (B, 2 W, …)
        return self.exit(x)  # type: ignore[no-any-return]
