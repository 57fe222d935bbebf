"""Text and field encoder side by side: what method ``clip`` trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surrogate_training.config import ClipConfig, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import Features
from surrogate_training.models.scaling import Scaling
from surrogate_training.text.contrastive import unit
from surrogate_training.text.encoder import FieldEncoder, TextEncoder


@dataclass(frozen=True)
class Matched:
    """Unit vectors of a batch's captions and pairs (B, E), and the captions' token ids (B, L)."""

    text: Tensor
    field: Tensor
    tokens: Tensor


class Matcher(nn.Module):
    """Vectors of captions and of pairs of states, near each other where they match.

    Parameters
    ----------
    recipe, statistics
        Of the training, by method ``clip``.

    Attributes
    ----------
    log_scale : Parameter, shape ()
        Logarithm of 1 / temperature.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        config, captions = recipe.method, recipe.data.captions
        assert isinstance(config, ClipConfig)
        assert captions is not None
        self.scaling = Scaling(recipe, statistics)
        self.features = Features(recipe, statistics, tuple(self.scaling.units))
        self.length = captions.length
        self.text = TextEncoder(captions.text, recipe.text)
        channels = self.features.channels + len(recipe.predicted)
        self.field = FieldEncoder(channels, config.widths, recipe.model.boundary)
        self.text_exit = nn.Linear(recipe.text.width, config.embedding, bias=False)
        self.field_exit = nn.Linear(config.widths[-1], config.embedding, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    def of_captions(self, tokens: Tensor) -> Tensor:
        """Token ids (B, L) → unit vectors (B, E)."""
        return unit(self.text_exit(self.text(tokens)))

    def of_pairs(self, u1: Tensor, u2: Tensor) -> Tensor:
        """States at t1 and t2, physical, (B, C, ny, nx) each → unit vectors (B, E).

        What is seen of t2 is what a generator has to answer: the frame or its increment, of unit variance.
        """
        seen = self.features(self.scaling.normalise(u1)), self.scaling.answer(u1, u2)
        return unit(self.field_exit(self.field(torch.cat(seen, 1))))

    def encoded(self, batch: Batch) -> Matched:
        """Vectors of a batch."""
        assert batch.parameters is not None
        tokens = batch.parameters[:, -self.length :]  # (B, L)
        return Matched(self.of_captions(tokens), self.of_pairs(batch.u1, batch.u2), tokens)
