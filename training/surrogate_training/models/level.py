"""How a net is told the noise level of what it is shown."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from surrogate_training.models.film import EMBEDDING

FREQUENCIES = 32
LARGEST = 100.0
"""Largest angular frequency: levels are of size 1, and two that differ by a hundredth look different."""


class LevelEmbedding(nn.Module):
    """Levels (B,) → (B, EMBEDDING): sines and cosines of geometric frequencies, then two layers.

    The frequencies are those of positions in Vaswani et al. 2017 (arXiv:1706.03762, section 3.5).
    """

    def __init__(self) -> None:
        super().__init__()
        frequencies = torch.logspace(0, math.log10(LARGEST), FREQUENCIES)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, EMBEDDING),
            nn.SiLU(),
            nn.Linear(EMBEDDING, EMBEDDING),
            nn.SiLU(),
        )

    def forward(self, level: Tensor) -> Tensor:
        """(B,) → (B, EMBEDDING), in float32 also inside an autocast region."""
        with torch.autocast(level.device.type, enabled=False):
            angles = level.float()[:, None] * self.get_buffer("frequencies")  # (B, FREQUENCIES)
            waves = torch.cat([angles.sin(), angles.cos()], 1)  # (B, 2 FREQUENCIES)
            return self.layers(waves)  # type: ignore[no-any-return]
