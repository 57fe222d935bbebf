"""Where a token is: rotary angles that depend on distances alone, and how far the walls are.

Both are made from the tokens at hand, so the same weights run on grids of other sizes. Indices are sums of ones of the
tokens' own tensor rather than an ``arange``: a traced program would keep the device and the size of its example.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from surrogate_training.models.blocks import Boundaries

SHORTEST, LONGEST = 4.0, 64.0  # waves of rotary positions, in tokens
WALL_LAYERS = (1.0, 3.0, 9.0)  # tokens over which what is felt of a wall falls by e


class Rotary(nn.Module):
    """Rotary positions (Su et al. 2021, arXiv:2104.09864) on two axes: half of a head's pairs turn with y, half with x.

    The product of a query and a key turned by angles ω·position depends on the distance of the two tokens alone. Along
    a periodic axis of n tokens ω is rounded to the nearest whole number of waves a domain, at least one: then also on
    the distance round the domain, and translations by whole tokens commute with attention exactly.

    Parameters
    ----------
    head : int
        Numbers a head; a multiple of four.
    boundary : (y, x)
    """

    def __init__(self, head: int, boundary: Boundaries) -> None:
        super().__init__()
        self.periodic = [kind == "periodic" for kind in boundary]
        count = head // 4
        waves = torch.logspace(math.log10(SHORTEST), math.log10(LONGEST), count)
        self.register_buffer("frequencies", 2 * torch.pi / waves, persistent=False)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines (ny nx, head / 2) of the angles of tokens (B, W, ny, nx)."""
        frequencies = self.get_buffer("frequencies")
        ones = torch.ones_like(tokens[0, 0], dtype=frequencies.dtype)  # (ny, nx)
        angles = []
        for axis, periodic in enumerate(self.periodic):
            index = ones.cumsum(axis) - 1  # (ny, nx)
            turns = frequencies.expand(1, 1, -1)  # (1, 1, head / 4)
            if periodic:
                fundamental = 2 * torch.pi / ones.sum(axis, keepdim=True)[..., None]
                turns = fundamental * (turns / fundamental).round().clamp(min=1)
            angles.append(index[..., None] * turns)  # (ny, nx, head / 4)
        flat = torch.cat(angles, -1).flatten(0, 1)  # (ny nx, head / 2)
        return flat.cos(), flat.sin()


def turn(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn pairs (k, k + head / 2) of x (B, heads, N, head) by the angles of the tokens, (N, head / 2) each."""
    a, b = x.chunk(2, -1)  # (B, heads, N, head / 2) each
    return torch.cat([a * cosines - b * sines, a * sines + b * cosines], -1)


class Walls(nn.Module):
    """exp(-d / ℓ) of the distance d to the walls of an axis that is not periodic, for a few lengths ℓ.

    Rotary positions know distances between tokens only. These fall to nothing away from the walls, so a larger grid has
    more of what the net has seen in the middle of its own.
    """

    def __init__(self, boundary: Boundaries) -> None:
        super().__init__()
        self.axes = [axis for axis, kind in enumerate(boundary) if kind != "periodic"]

    @property
    def channels(self) -> int:
        """Number of features: for each wall one a length."""
        return 2 * len(self.axes) * len(WALL_LAYERS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, W, ny, nx) with these channels in front, (B, channels + W, ny, nx)."""
        if not self.axes:
            return tokens
        ones = torch.ones_like(tokens[:, :1])  # (B, 1, ny, nx)
        made = []
        for axis in self.axes:
            low = ones.cumsum(2 + axis) - 1
            high = ones.sum(2 + axis, keepdim=True) - 1 - low
            made += [(-d / length).exp() for d in (low, high) for length in WALL_LAYERS]
        return torch.cat([*made, tokens], 1)  # what a net reads later (noise) stays behind all else
