"""Conditioning on scalar parameters: feature-wise linear modulation (Perez et al. 2018, arXiv:1709.07871)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics

EMBEDDING = 64
"""Length of the vector that parameters are turned into."""


class ParameterEmbedding(nn.Module):
    """Parameters (B, P) in physical units → (B, EMBEDDING): standardised by training's mean and std, then two layers.

    Raises
    ------
    ValueError
        If the statistics have no such parameter.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        names = [p.name for p in recipe.data.parameters]
        if missing := [name for name in names if name not in statistics.parameters]:
            raise ValueError(
                f"the statistics hold no parameter {missing[0]!r}: measure them again from the training set"
            )
        found = [statistics.parameters[name] for name in names]
        # one that never changes in training is read as zero rather than divided by zero
        self.register_buffer("mean", torch.tensor([p.mean for p in found]), persistent=False)
        self.register_buffer("std", torch.tensor([p.std or 1.0 for p in found]), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(len(names), EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU()
        )

    def forward(self, parameters: Tensor) -> Tensor:
        """(B, P) → (B, EMBEDDING), in float32 also inside an autocast region: dt = 4.1 is not 4.0."""
        with torch.autocast(parameters.device.type, enabled=False):
            standardised = (parameters - self.get_buffer("mean")) / self.get_buffer("std")
            return self.layers(standardised)  # type: ignore[no-any-return]


class Modulation(nn.Module):
    """x → x (1 + scale) + shift, a number each a channel, from the embedded parameters; starts as the identity."""

    def __init__(self, embedding: int, channels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(embedding, 2 * channels)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        """(B, C, ny, nx) and (B, E) → (B, C, ny, nx)."""
        scale, shift = self.layer(embedded)[:, :, None, None].chunk(2, 1)  # (B, C, 1, 1) each
        return x * (1 + scale) + shift  # type: ignore[no-any-return]


def modulation(embedding: int, channels: int) -> Modulation | None:
    """One for a block of a net that has parameters, else none."""
    return Modulation(embedding, channels) if embedding else None
