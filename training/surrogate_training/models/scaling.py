"""Between physical units and the program's: the affine part that libsurrogate does from the manifest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics


class Scaling(nn.Module):
    """Normalisation of inputs and increments: x = (u - mean) / std and u2 = u1 + scale * y."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.channels = list(recipe.predicted_channels)
        fields = [statistics.fields[name] for name in recipe.names]

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float32)[None, :, None, None]

        self.register_buffer("mean", column([f.mean for f in fields]))  # (1, C, 1, 1)
        self.register_buffer("std", column([f.std for f in fields]))
        predicted = [statistics.fields[f.name] for f in recipe.predicted]
        self.register_buffer("scale", column([f.increment_std for f in predicted]))  # (1, P, 1, 1)

    def normalise(self, u: Tensor) -> Tensor:
        """State in physical units → the program's input, (B, C, ny, nx)."""
        return (u - self.get_buffer("mean")) / self.get_buffer("std")

    def predicted(self, u: Tensor) -> Tensor:
        """The predicted fields of a state: (B, C, ny, nx) → (B, P, ny, nx)."""
        return u if len(self.channels) == u.shape[1] else u[:, self.channels]

    def frame(self, u1: Tensor, y: Tensor) -> Tensor:
        """State at t1 (B, C, ny, nx) and the program's output (B, P, ny, nx) → predicted fields at t2."""
        return self.predicted(u1) + self.get_buffer("scale") * y
