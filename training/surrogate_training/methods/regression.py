"""Deterministic regression of the next frame.

The error that counts is relative: per sample and field RMS(prediction - u2) / std(u2), with B in place of its
potential. The loss ``relative_l2`` is its mean; ``mse`` is the mean square error of normalised increments.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import curl


@dataclass(frozen=True)
class Loss:
    """The loss and its parts by name of field (bx and by stand for a potential's curl)."""

    total: Tensor
    parts: dict[str, Tensor]


class Scaling(nn.Module):
    """Normalisation of inputs and increments, (1, C, 1, 1) each: u2 = u1 + scale * y."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        fields = [statistics.fields[name] for name in recipe.names]

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=torch.float32)[None, :, None, None]

        self.register_buffer("mean", column([f.mean for f in fields]))
        self.register_buffer("std", column([f.std for f in fields]))
        self.register_buffer("scale", column([f.increment_std for f in fields]))

    def normalise(self, u: Tensor) -> Tensor:
        """State in physical units → the program's input."""
        return (u - self.get_buffer("mean")) / self.get_buffer("std")

    def increment(self, y: Tensor) -> Tensor:
        """The program's output → increments in physical units."""
        return self.get_buffer("scale") * y


def observed(u: Tensor, recipe: Recipe, statistics: Statistics) -> dict[str, Tensor]:
    """Split a state or increment (B, C, ny, nx) into named (B, ny, nx); potentials give bx, by too."""
    made: dict[str, Tensor] = {}
    several = len(recipe.potentials) > 1
    for c, name in enumerate(recipe.names):
        made[name] = u[:, c]
        if name in recipe.potentials:
            b = curl(u[:, c : c + 1], statistics.spacing, recipe.model.boundary)
            suffix = f"_{name}" if several else ""
            made[f"bx{suffix}"], made[f"by{suffix}"] = b[:, 0], b[:, 1]
    return made


def relative_errors(
    predicted: Tensor, u2: Tensor, recipe: Recipe, statistics: Statistics
) -> dict[str, Tensor]:
    """RMS(prediction - u2) / std(u2) per sample (B,), by name of field."""
    error = observed(predicted - u2, recipe, statistics)
    truth = observed(u2, recipe, statistics)
    return {
        # the floor keeps the gradient of the square root finite where a field is uniform
        name: (e.square().mean((1, 2)) + 1e-12).sqrt() / (truth[name].std((1, 2)) + 1e-6)
        for name, e in error.items()
    }


def mean_score(errors: dict[str, float], recipe: Recipe) -> float:
    """Mean over the fields that count: a potential is represented by its curl."""
    counted = [value for name, value in errors.items() if name not in recipe.potentials]
    return sum(counted) / len(counted)


class Regression:
    """Loss of a batch under a recipe's method."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        self.recipe, self.statistics = recipe, statistics
        self.scaling = Scaling(recipe, statistics)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """Loss of predicting ``batch.u2`` from ``batch.u1``."""
        y = model(self.scaling.normalise(batch.u1)).float()  # (B, C, ny, nx)
        predicted = batch.u1 + self.scaling.increment(y)
        if self.recipe.method.loss == "relative_l2":
            errors = relative_errors(predicted, batch.u2, self.recipe, self.statistics)
            parts = {name: e.mean() for name, e in errors.items()}
        else:
            parts = self._squares(predicted - batch.u2)
        weights = {n: self._weight(n) for n in parts}
        total = torch.stack([weights[n] * part for n, part in parts.items()]).sum()
        return Loss(total / sum(weights.values()), parts)

    def _squares(self, error: Tensor) -> dict[str, Tensor]:
        parts = {}
        for name, e in observed(error, self.recipe, self.statistics).items():
            if name in self.recipe.names:
                scale = self.statistics.fields[name].increment_std
            else:
                owner = name.partition("_")[2] or self.recipe.potentials[0]
                scale = self.statistics.fields[owner].gradient_increment_std
            parts[name] = (e / scale).square().mean()
        return parts

    def _weight(self, name: str) -> float:
        return self.recipe.method.potential_weight if name in self.recipe.potentials else 1.0
