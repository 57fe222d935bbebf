"""The U-Net generator of pix2pix (Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004, appendix 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from surrogate_training.models.blocks import in_float32
from surrogate_training.models.film import modulation

if TYPE_CHECKING:
    from surrogate_training.config import UNetConfig


class InstanceNorm(nn.Module):
    """(x - mean) / std over the cells of each channel and sample; torch's own looks at sizes, which tracing cannot."""

    EPSILON = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → same."""
        variance, mean = torch.var_mean(x, dim=(2, 3), correction=0, keepdim=True)  # (B, C, 1, 1)
        return (x - mean) * (variance + self.EPSILON).rsqrt()


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda _: InstanceNorm(),
    "none": lambda _: nn.Identity(),
}
LARGEST_FACTOR = 8  # channels stop growing at eight times the base
DROPOUT_LEVELS = 3  # of the decoder, from the innermost
INITIAL_STD = 0.02


class UNet(nn.Module):
    """Encoder of strided 4×4 convolutions, decoder of transposed ones, a skip at every level.

    Channels of the encoder are 1, 2, 4, 8, 8, … times `features`. Convolutions pad with zeros: the net knows where
    the domain ends, whatever its boundary condition. With eight levels on 256² cells the innermost map is one cell, so
    every output depends on the whole domain; such a net cannot be tiled. As in the paper and its erratum, the outermost
    and the innermost maps of the encoder have no norm. Weights start as normals of standard deviation 0.02.

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
    dropout : {"off", "training", "noise"}
        Half of the values of three inner decoder levels are dropped never, in training, or wherever the normals of a
        noise input are negative, in training and after.
    tanh : bool
        Bound the output to (-1, 1), as for images; normalised increments are unbounded.
    checkpointing : bool
        Recompute the levels' inner values in the backward pass.
    embedding : int
        Length of the embedded parameters that modulate every level; 0: there are none.

    Attributes
    ----------
    noise_inputs : dict of str to int
        ``dropout`` → channels, where its masks are an input.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        levels: int = 8,
        features: int = 64,
        norm: str = "batch",
        dropout: Literal["off", "training", "noise"] = "off",
        tanh: bool = False,
        checkpointing: bool = False,
        embedding: int = 0,
    ) -> None:
        super().__init__()
        widths = [features * min(2**level, LARGEST_FACTOR) for level in range(levels)]
        entries = [channels, *widths[:-1]]
        innermost = levels - 1
        bias = norm != "batch"  # a batch norm's shift makes another one idle
        self.checkpointing = checkpointing
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
        self.down_film = nn.ModuleList(filter(None, (modulation(embedding, w) for w in widths)))
        self.up_film = nn.ModuleList(filter(None, (modulation(embedding, w) for w in entries[1:])))
        self.exit = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(2 * widths[0], out_channels, 4, 2, 1),
            nn.Tanh() if tanh else nn.Identity(),
        )
        self.dropout = nn.Dropout(0.5 if dropout == "training" else 0.0)
        self.dropped = range(max(0, innermost - DROPOUT_LEVELS), innermost)
        # a level has fewer cells than the noise, which is one number a cell and channel: each 2^k × 2^k cells of it
        # hold the masks of up to 4^k channels
        self.masks = {n: -(-entries[n + 1] // 4 ** (n + 1)) for n in self.dropped}
        self.from_noise = dropout == "noise"
        self.noise_inputs = {"dropout": sum(self.masks.values())} if self.from_noise else {}
        self.apply(initialise)

    @staticmethod
    def _up(channels: int, out_channels: int, norm: str, bias: bool) -> nn.Sequential:
        return nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(channels, out_channels, 4, 2, 1, bias=bias),
            NORMS[norm](out_channels),
        )

    @classmethod
    def from_config(
        cls, channels: int, out_channels: int, config: UNetConfig, embedding: int = 0
    ) -> UNet:
        """The net that a recipe's ``model`` section describes."""
        return cls(
            channels,
            out_channels,
            levels=config.levels,
            features=config.base,
            norm=config.norm,
            dropout=config.dropout,
            tanh=config.tanh,
            checkpointing=config.checkpointing,
            embedding=embedding,
        )

    def forward(self, x: Tensor, embedded: Tensor | None = None, *noise: Tensor) -> Tensor:
        """(B, C, ny, nx), embedded parameters (B, E) and noise (B, masks, ny, nx) → (B, C_out, ny, nx)."""
        skips: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = self._run(down, x)  # (B, W, ny / 2, nx / 2)
            if len(self.down_film):
                x = self.down_film[level](x, embedded)
            skips.append(x)
        x = skips.pop()
        for level in reversed(range(len(self.up))):
            x = self._run(self.up[level], x)  # (B, W, 2 ny, 2 nx)
            if len(self.up_film):
                x = self.up_film[level](x, embedded)
            if level in self.dropped:
                x = x * self._mask(noise[0], level, x) if self.from_noise else self.dropout(x)
            x = torch.cat([skips.pop(), x], 1)  # (B, 2 W, …)
        # in full precision: a tanh in bfloat16 has steps of 1/256 of the largest value of training
        return in_float32(self.exit, x)

    def _run(self, layers: nn.Module, x: Tensor) -> Tensor:
        if self.checkpointing and self.training and torch.is_grad_enabled():
            return checkpoint(layers, x, use_reentrant=False)  # type: ignore[no-any-return]
        return layers(x)  # type: ignore[no-any-return]

    def _mask(self, noise: Tensor, level: int, x: Tensor) -> Tensor:
        """0 or 2 for each value of a level, (B, W, ny, nx), each with probability 1/2."""
        first = sum(count for n, count in self.masks.items() if n < level)
        part = noise[:, first : first + self.masks[level]]  # (B, masks of this level, ny, nx)
        cells = functional.pixel_unshuffle(
            part, 2 ** (level + 1)
        )  # (B, masks 4^k, ny / 2^k, nx / 2^k)
        return 2 * (cells[:, : x.shape[1]] >= 0).to(x.dtype)


def initialise(module: nn.Module) -> None:
    """Start a layer as the paper says: weights N(0, 0.02²), those of norms N(1, 0.02²), shifts zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, INITIAL_STD)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, INITIAL_STD)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)
