"""Deterministic regression of the next frames: ``relative_l2`` is the mean of the error that counts."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.config import Recipe, RegressionConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.scaling import scaled
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.methods.unroll import Jump, unroll
from surrogate_training.metrics.relative import (
    observed,
    observed_weights,
    relative_errors,
    weighted_mean,
)
from surrogate_training.models.units import Units


class Regression(Method):
    """Mean error of the next frame, or of the frames that a rollout makes (``method.unroll``)."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, RegressionConfig)
        self.config = recipe.method

    def prepare(self, batch: Batch, *, step: int) -> list[Jump]:
        """The jumps that count, each with its predicted and its true fields, (B, P, ny, nx)."""
        plan = self.config.unroll
        jumps = plan.jumps if step >= plan.start else 1
        return unroll(self, batch, jumps=jumps, push_forward=plan.push_forward)

    def loss(self, network: str, context: list[Jump], *, step: int) -> Loss:
        """Mean over the jumps of the loss of predicting a frame by the one before."""
        parts = self._parts(context[0])
        for jump in context[1:]:
            parts = {name: part + parts[name] for name, part in self._parts(jump).items()}
        parts = {name: part / len(context) for name, part in parts.items()}
        weights = {n: self._weight(n) for n in parts}
        total = torch.stack([weights[n] * part for n, part in parts.items()]).sum()
        return Loss(total / sum(weights.values()), parts)

    def _parts(self, jump: Jump) -> dict[str, Tensor]:
        if self.config.loss != "relative_l2":
            return self._scaled(self._error(jump), jump.weight)
        errors = relative_errors(
            jump.predicted, jump.truth, self.recipe, self.statistics, weight=jump.weight
        )
        return {name: e.mean() for name, e in errors.items()}

    def _error(self, jump: Jump) -> Tensor:
        """Prediction less truth, (B, P, ny, nx); scaled values in units in which increments have the fields' std."""
        if self.config.space == "physical":
            return jump.predicted - jump.truth
        errors = []
        for channel, field in enumerate(self.recipe.predicted):
            units = Units.of(field, self.statistics.fields[field.name])
            change = scaled(jump.predicted[:, channel], field) - scaled(
                jump.truth[:, channel], field
            )
            errors.append(change * (units.increment_std / units.scaled_increment_std))
        return torch.stack(errors, 1)

    def _scaled(self, error: Tensor, weight: Tensor | None) -> dict[str, Tensor]:
        """Mean square (``mse``) or size (``mae``) of errors (B, P, ny, nx) in units of the increments' std."""
        errors = observed(error, self.recipe, self.statistics)
        weights = {} if weight is None else observed_weights(weight, errors, self.recipe)
        parts = {}
        for name, e in errors.items():
            scaled = e / self._increment_std(name)
            size = scaled.square() if self.config.loss == "mse" else scaled.abs()
            counted = size if weight is None else weighted_mean(size, weights[name])
            parts[name] = counted.mean()
        return parts

    def _increment_std(self, name: str) -> float:
        if name in self.recipe.names:
            return self.statistics.fields[name].increment_std
        owner = name.partition("_")[2] or self.recipe.potentials[0]
        return self.statistics.fields[owner].gradient_increment_std

    def _weight(self, name: str) -> float:
        return self.config.potential_weight if name in self.recipe.potentials else 1.0
