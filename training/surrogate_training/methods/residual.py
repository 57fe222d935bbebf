"""``residual-edm``: regression for the mean, ``edm`` for what it misses (Mardani et al. 2023, arXiv:2309.15214)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from surrogate_training.config import Recipe, ResidualEDMConfig
from surrogate_training.data.batches import Batch, stored
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import make_process
from surrogate_training.methods.denoising import Denoising
from surrogate_training.methods.warm_start import load_start, take_over
from surrogate_training.models.generative import Condition
from surrogate_training.models.residual import MeanCondition, ResidualModel

PAIRS = 64
"""Training pairs, spread over the set, that the residual's size is measured on."""
SMALLEST = 1e-6
"""Of that size, in units of w: a mean that is exact leaves nothing to divide by."""


class ResidualDenoising(Denoising):
    """:class:`Denoising` of the residual of a frozen net.

    The mean is that of training pairs: a regression net that fits them better than others makes the spread too small.
    """

    generator: ResidualModel

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> ResidualModel:
        """See :class:`Method`."""
        assert isinstance(recipe.method, ResidualEDMConfig)
        return ResidualModel(recipe, statistics, make_process(recipe.method))

    def start(self, root: Path) -> None:
        """Take over the regression run's net, and measure what it misses."""
        model = self.generator
        take_over(model.mean, load_start(self.recipe, self.statistics, root))
        pairs = open_sets(self.recipe.data, root=root)["train"]
        model.get_buffer("scale").copy_(self._residual_std(pairs))

    def _drawn(self, batch: Batch, given: Condition) -> Tensor:
        assert isinstance(given, MeanCondition)
        residual = self.scaling.answer(batch.u1, batch.u2) - given.mean
        return residual / self.generator.get_buffer("scale")

    @torch.no_grad()
    def _residual_std(self, pairs: PairSet) -> Tensor:
        """Root of the residual's mean square by field, (P, 1, 1), over the cells that have data.

        Raises
        ------
        ValueError
            If no cell has.
        """
        device = self.generator.get_buffer("scale").device
        total = torch.zeros(len(self.recipe.predicted), dtype=torch.float64)
        count = 0.0
        for index in pairs.spread(PAIRS):
            batch = stored(pairs, index).to(device)
            given = self._given(batch)
            assert isinstance(given, MeanCondition)
            square = (self.scaling.answer(batch.u1, batch.u2) - given.mean).square()
            weight = torch.ones_like(square[:, :1]) if batch.weight is None else batch.weight
            total += torch.where(weight > 0, square, 0.0).sum((0, 2, 3)).double().cpu()
            count += float(weight.sum())
        if count == 0:
            raise ValueError("method residual-edm: none of the training pairs has data in any cell")
        return (total / count).sqrt().clamp(min=SMALLEST).float()[:, None, None]
