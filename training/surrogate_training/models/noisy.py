"""The generator of ``crps``: a net that reads noise beside the state, and answers in one evaluation."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.blocks import in_float32
from surrogate_training.models.fields import FieldModel


class NoisyModel(FieldModel):
    """A :class:`FieldModel` with a noise input ``noise``, further channels of what the net reads.

    Parameters
    ----------
    recipe, statistics
        Of the training.
    channels : int
        Of the noise.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics, channels: int) -> None:
        super().__init__(recipe, statistics, more_channels=channels)
        self.noise_inputs = {"noise": channels}

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        *given, noise = more
        embedded = None if self.embedding is None else self.embedding(*given)
        seen = torch.cat([self.features(x), noise], 1)  # (B, F + channels, ny, nx)
        return in_float32(self.potentials, self.net(seen, embedded))
