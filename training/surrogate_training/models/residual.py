"""The generator of ``residual-edm``: a frozen net says the mean, and what it misses is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import Process
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import Condition, GenerativeModel


@dataclass(frozen=True)
class MeanCondition(Condition):
    """With the mean net's w, (B, P, ny, nx); the net reads it behind the features."""

    mean: Tensor = field(kw_only=True)


class ResidualModel(GenerativeModel):
    """w = mean + scale r, with r of unit variance drawn by the sampler; ``steps`` do not count the mean net's one.

    Attributes
    ----------
    mean : FieldModel
        A regression net, frozen.
    scale : Tensor, shape (P, 1, 1)
        Standard deviation of w - mean over training.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics, process: Process) -> None:
        drawn = len(recipe.predicted)
        super().__init__(recipe, statistics, process, more_channels=drawn)
        self.mean = FieldModel(recipe, statistics).requires_grad_(False)
        self.register_buffer("scale", torch.ones(drawn, 1, 1))

    def condition(
        self, x: Tensor, more: tuple[Tensor, ...]
    ) -> tuple[MeanCondition, tuple[Tensor, ...]]:
        """See :class:`GenerativeModel`."""
        given, noise = super().condition(x, more)
        parameters, _, _ = self.split(more)
        scalars = () if self.embedding is None or parameters is None else (parameters,)
        mean = self.mean.standardised(x, *scalars)
        features = torch.cat([given.features, mean], 1)
        return MeanCondition(features, given.embedded, given.guidance, mean=mean), noise

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        given, noise = self.condition(x, more)
        return given.mean + self.get_buffer("scale") * self.draw(given, noise)
