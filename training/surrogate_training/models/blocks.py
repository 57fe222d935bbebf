"""Building blocks without any operation that reduces over space.

Padding is written as concatenation and followed by a valid convolution: it exports with dynamic shapes,
compiles faster and converts to TensorRT whole, which ``padding_mode="circular"`` does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from surrogate_training.models.film import modulation

Boundaries = tuple[str, str]

ACTIVATIONS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "gelu": nn.GELU}


def pad_axis(x: Tensor, axis: int, before: int, after: int, boundary: str) -> Tensor:
    """Pad one axis of (B, C, ny, nx) or (B, C, nz, ny, nx) by ``before`` and ``after`` cells.

    Parameters
    ----------
    x : Tensor, shape (B, C, ny, nx) or (B, C, nz, ny, nx)
    axis : {-3, -2, -1}
        z, y or x.
    before, after : int
        Number of cells.
    boundary : {"periodic", "replicate", "zero"}
        What the new cells hold.
    """
    if boundary == "periodic":
        low, high = x.narrow(axis, x.shape[axis] - before, before), x.narrow(axis, 0, after)
    else:
        ratio = [1] * x.ndim
        ratio[axis] = before
        low = x.narrow(axis, 0, 1).repeat(ratio)
        ratio[axis] = after
        high = x.narrow(axis, x.shape[axis] - 1, 1).repeat(ratio)
        if boundary == "zero":
            low, high = torch.zeros_like(low), torch.zeros_like(high)
    return torch.cat([part for part, n in ((low, before), (x, 1), (high, after)) if n], axis)


def pad(x: Tensor, radius: int, boundary: Boundaries) -> Tensor:
    """Pad both axes by ``radius`` cells; ``boundary`` is (y, x)."""
    x = pad_axis(x, -2, radius, radius, boundary[0])  # (B, C, ny + 2r, nx)
    return pad_axis(x, -1, radius, radius, boundary[1])  # (B, C, ny + 2r, nx + 2r)


def in_float32(layers: nn.Module, x: Tensor) -> Tensor:
    """layers(x) in float32, also inside an autocast region."""
    if not torch.is_autocast_enabled(x.device.type):
        return layers(x)  # type: ignore[no-any-return]
    with torch.autocast(x.device.type, enabled=False):
        return layers(x.float())  # type: ignore[no-any-return]


class PaddedConv(nn.Module):
    """3×3 convolution whose padding follows the boundary condition."""

    def __init__(self, channels: int, out_channels: int, boundary: Boundaries) -> None:
        super().__init__()
        self.boundary = boundary
        self.conv = nn.Conv2d(channels, out_channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → (B, C_out, ny, nx)."""
        return self.conv(pad(x, 1, self.boundary))  # type: ignore[no-any-return]


class CellNorm(nn.Module):
    """Layer norm over the channels of each cell: tiles and batches cannot change it.

    On channels-last memory the permutations are views, and the norm is one fused pass.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → same."""
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(norm(x))))), the norm modulated where the net has parameters."""

    REACH = 2
    """Cells to each side."""

    def __init__(
        self, channels: int, activation: str, boundary: Boundaries, embedding: int = 0
    ) -> None:
        super().__init__()
        self.norm = CellNorm(channels)
        self.first = PaddedConv(channels, channels, boundary)
        self.second = PaddedConv(channels, channels, boundary)
        self.activation = ACTIVATIONS[activation]()
        self.film = modulation(embedding, channels)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(B, C, ny, nx) → same."""
        h = self.norm(x)
        if self.film is not None:
            h = self.film(h, embedded)
        h = self.first(self.activation(h))
        return x + self.second(self.activation(h))  # type: ignore[no-any-return]


class ConvNeXtBlock(nn.Module):
    """x + MLP(norm(depthwise 7×7(x))), the MLP four times as wide (Liu et al. 2022, arXiv:2201.03545, fig. 4).

    Without the paper's layer scale: norm and residual alone train nets of this depth.
    """

    REACH = 3
    """Cells to each side."""

    def __init__(
        self, channels: int, activation: str, boundary: Boundaries, embedding: int = 0
    ) -> None:
        super().__init__()
        self.boundary = boundary
        self.depthwise = nn.Conv2d(channels, channels, 2 * self.REACH + 1, groups=channels)
        self.norm = CellNorm(channels)
        self.widen = nn.Conv2d(channels, 4 * channels, 1)
        self.narrow = nn.Conv2d(4 * channels, channels, 1)
        self.activation = ACTIVATIONS[activation]()
        self.film = modulation(embedding, channels)

    def forward(self, x: Tensor, embedded: Tensor | None = None) -> Tensor:
        """(B, C, ny, nx) → same."""
        h = self.norm(self.depthwise(pad(x, self.REACH, self.boundary)))
        if self.film is not None:
            h = self.film(h, embedded)
        return x + self.narrow(self.activation(self.widen(h)))  # type: ignore[no-any-return]


BLOCKS: dict[str, type[ResidualBlock] | type[ConvNeXtBlock]] = {
    "residual": ResidualBlock,
    "convnext": ConvNeXtBlock,
}
"""By the recipe's ``model.block``."""


class Stage(nn.ModuleList):
    """Blocks in a row; with ``checkpointing`` training keeps only what goes in and out of each.

    What lies inside is computed again in the backward pass: less memory, a third more time.
    """

    def __init__(self, blocks: Iterable[nn.Module], *, checkpointing: bool) -> None:
        super().__init__(blocks)
        self.checkpointing = checkpointing

    def forward(self, x: Tensor, *more: Tensor | None) -> Tensor:
        """X through the blocks, of any one shape; ``more`` (embedded parameters above all) goes to each."""
        for block in self:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                x = checkpoint(block, x, *more, use_reentrant=False)
            else:
                x = block(x, *more)
        return x


class Up(nn.Module):
    """1×1 convolution and depth-to-space: twice as many cells along each axis."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4 * out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → (B, C_out, 2 ny, 2 nx)."""
        return functional.pixel_shuffle(self.conv(x), 2)
