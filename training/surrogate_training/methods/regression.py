"""Deterministic regression of the next frame: ``relative_l2`` is the mean of the error that counts."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.config import Recipe, RegressionConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.metrics.relative import observed, relative_errors


class Regression(Method):
    """Mean error of the next frame."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, RegressionConfig)
        self.config = recipe.method

    def prepare(self, batch: Batch, *, step: int) -> tuple[Tensor, Tensor]:
        """Predicted and true fields at t2, (B, P, ny, nx) each."""
        y = self.generator(self.scaling.normalise(batch.u1)).float()  # (B, P, ny, nx)
        return self.scaling.frame(batch.u1, y), self.scaling.predicted(batch.u2)

    def loss(self, network: str, context: tuple[Tensor, Tensor], *, step: int) -> Loss:
        """Loss of predicting the second of a pair by the first."""
        predicted, truth = context
        if self.config.loss == "relative_l2":
            errors = relative_errors(predicted, truth, self.recipe, self.statistics)
            parts = {name: e.mean() for name, e in errors.items()}
        else:
            parts = self._squares(predicted - truth)
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
        return self.config.potential_weight if name in self.recipe.potentials else 1.0
