"""``interpolant``: a process that begins at the frame at t1 itself (Chen et al. 2024, arXiv:2403.13724)."""

from __future__ import annotations

from torch import Tensor

from surrogate_training.config import InterpolantConfig, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import make_process
from surrogate_training.methods.denoising import Denoising
from surrogate_training.models.generative import Condition
from surrogate_training.models.interpolant import InterpolantModel


class Interpolating(Denoising):
    """Regression of the drift: mean square of the net's answer less w - w1 - σ W_t, over times, noise and pairs."""

    generator: InterpolantModel

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> InterpolantModel:
        """See :class:`Method`."""
        assert isinstance(recipe.method, InterpolantConfig)
        return InterpolantModel(recipe, statistics, make_process(recipe.method))

    def _drawn(self, batch: Batch, given: Condition) -> Tensor:
        """The way from w1 to w, (B, P, ny, nx)."""
        w = super()._drawn(batch, given)
        return w - self.scaling.answer(batch.u1, batch.u1) if self.scaling.of_frame else w
