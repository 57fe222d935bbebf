"""The error that counts in training: per sample and field RMS(prediction - u2) / std(u2).

A potential has its curl, bx and by, beside it: no gauge changes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.blocks import pad_axis
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
    predicted: Tensor,
    u2: Tensor,
    recipe: Recipe,
    statistics: Statistics,
    *,
    weight: Tensor | None = None,
) -> dict[str, Tensor]:
    """RMS(prediction - u2) / std(u2) per sample (B,), by name of field; both (B, P, ny, nx).

    Cells where `weight` (B, 1, ny, nx) is 0 count in neither; a curl counts where all that it is made of does.
    """
    error = observed(predicted - u2, recipe, statistics)
    truth = observed(u2, recipe, statistics)
    if weight is None:
        return {
            # the floor keeps the gradient of the square root finite where a field is uniform
            name: (e.square().mean((1, 2)) + 1e-12).sqrt() / (truth[name].std((1, 2)) + 1e-6)
            for name, e in error.items()
        }
    weights = observed_weights(weight, error, recipe)
    return {
        name: (weighted_mean(e.square(), weights[name]) + 1e-12).sqrt()
        / (weighted_std(truth[name], weights[name]) + 1e-6)
        for name, e in error.items()
    }


def observed_weights(weight: Tensor, names: Iterable[str], recipe: Recipe) -> dict[str, Tensor]:
    """Weights (B, 1, ny, nx) of 0 or 1 → (B, ny, nx) by :func:`observed`'s `names`."""
    above = pad_axis(weight, -2, 0, 1, recipe.model.boundary[0])[:, 0, 1:]  # (B, ny, nx)
    right = pad_axis(weight, -1, 0, 1, recipe.model.boundary[1])[:, 0, :, 1:]
    one = weight[:, 0]
    curls = {"bx": one * above, "by": one * right}
    return {n: one if n in recipe.names else curls[n.partition("_")[0]] for n in names}


def weighted_mean(u: Tensor, weight: Tensor) -> Tensor:
    """Mean (B,) of u (B, ny, nx) over the cells that count; 0 where none does."""
    return (weight * u).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1)


def weighted_std(u: Tensor, weight: Tensor) -> Tensor:
    """Standard deviation (B,) of u (B, ny, nx) over the n cells that count, with n - 1 as of all cells."""
    mean = weighted_mean(u, weight)[:, None, None]
    count = weight.sum((1, 2))
    return ((weight * (u - mean).square()).sum((1, 2)) / (count - 1).clamp(min=1)).sqrt()


def mean_score(errors: dict[str, float], recipe: Recipe) -> float:
    """Mean over the fields that count: a potential is represented by its curl."""
    counted = [value for name, value in errors.items() if name not in recipe.potentials]
    return sum(counted) / len(counted)
