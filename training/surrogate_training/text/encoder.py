"""Encoders: a caption's token ids → a vector, and a pair of states → a vector."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from surrogate.bundle.sampler import Text
from surrogate_training.config import TextConfig
from surrogate_training.models.blocks import Boundaries, CellNorm, PaddedConv, ResidualBlock

EXPANSION = 4
"""Width of a block's MLP in units of its own."""


class TextEncoder(nn.Module):
    """Token ids (B, L) → (B, width): a transformer over a caption's words, and their mean.

    Fillers take no part, so a caption's vector does not depend on ``length``; one of fillers alone, which stands for no
    caption, has the vector 0 exactly.

    Parameters
    ----------
    text : Text
        Length and vocabulary.
    config : TextConfig
        Sizes.
    """

    def __init__(self, text: Text, config: TextConfig) -> None:
        super().__init__()
        self.largest = len(text.vocabulary) - 1
        self.words = nn.Embedding(len(text.vocabulary), config.width)
        self.places = nn.Parameter(0.02 * torch.randn(text.length, config.width))
        nn.init.normal_(self.words.weight, std=0.1)
        self.blocks = nn.ModuleList(
            TextBlock(config.width, config.heads) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids of any type, floating point too, (B, L) → (B, width), in float32 also inside an autocast region."""
        with torch.autocast(tokens.device.type, enabled=False):
            ids = tokens.long().clamp(0, self.largest)
            said = ids > 0  # (B, L)
            # a softmax over nothing would be NaN: the first place always counts, and is left out of the mean below
            heard = torch.cat([torch.ones_like(said[:, :1]), said[:, 1:]], 1)
            x = self.words(ids) + self.places  # (B, L, W)
            for block in self.blocks:
                x = block(x, heard[:, None, None])
            weight = said[..., None].to(x.dtype)  # (B, L, 1)
            mean: Tensor = (self.norm(x) * weight).sum(1) / weight.sum(1).clamp(min=1)
            return mean


class TextBlock(nn.Module):
    """x + attention(norm(x)), then x + MLP(norm(x)): a pre-norm transformer block (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.entry, self.exit = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.layers = nn.Sequential(
            nn.Linear(width, EXPANSION * width), nn.GELU(), nn.Linear(EXPANSION * width, width)
        )

    def forward(self, x: Tensor, heard: Tensor) -> Tensor:
        """(B, L, W), and which words are heard, (B, 1, 1, L) → (B, L, W)."""
        split = self.entry(self.norms[0](x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)  # (B, heads, L, W / heads) each
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=heard)
        x = x + self.exit(mixed.transpose(1, 2).flatten(2))
        return x + self.layers(self.norms[1](x))  # type: ignore[no-any-return]


class FieldEncoder(nn.Module):
    """Features of a pair of states (B, F, ny, nx) → (B, widths[-1]): residual blocks, half the cells a level, a mean.

    Parameters
    ----------
    channels : int
        F.
    widths : tuple of int
        Channels of each level.
    boundary : (y, x)
        How convolutions continue the domain.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], boundary: Boundaries) -> None:
        super().__init__()
        layers: list[nn.Module] = [PaddedConv(channels, widths[0], boundary)]
        for width, following in pairwise((*widths, 0)):
            layers.append(ResidualBlock(width, "silu", boundary))
            if following:
                layers.append(nn.Conv2d(width, following, 2, stride=2))
        self.layers = nn.Sequential(*layers, CellNorm(widths[-1]))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, ny, nx) → (B, W)."""
        made: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))
        return made.mean((2, 3))
