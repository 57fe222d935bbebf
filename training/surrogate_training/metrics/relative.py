"""The error that counts in training: per sample and field RMS(prediction - u2) / std(u2).

A potential has its curl, bx and by, beside it: no gauge changes them.
"""

from __future__ import annotations

from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import curl


def observed(u: Tensor, recipe: Recipe, statistics: Statistics) -> dict[str, Tensor]:
    """Split predicted fields, or their errors, (B, P, ny, nx) into named (B, ny, nx); potentials give bx, by too."""
    made: dict[str, Tensor] = {}
    several = len(recipe.potentials) > 1
    for c, name in enumerate(field.name for field in recipe.predicted):
        made[name] = u[:, c]
        if name in recipe.potentials:
            b = curl(u[:, c : c + 1], statistics.spacing, recipe.model.boundary)
            suffix = f"_{name}" if several else ""
            made[f"bx{suffix}"], made[f"by{suffix}"] = b[:, 0], b[:, 1]
    return made


def relative_errors(
    predicted: Tensor, u2: Tensor, recipe: Recipe, statistics: Statistics
) -> dict[str, Tensor]:
    """RMS(prediction - u2) / std(u2) per sample (B,), by name of field; both (B, P, ny, nx)."""
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
