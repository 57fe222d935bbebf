"""``ddpm``, ``edm`` and ``flow``: a net learns to take noise of every level off the frame at t2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from surrogate_training.config import DDPMConfig, EDMConfig, FlowConfig, Generative, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import make_process
from surrogate_training.methods.latents import take_autoencoder
from surrogate_training.methods.method import Loss, Method
from surrogate_training.methods.warm_start import load_start, take_over
from surrogate_training.metrics.relative import weighted_mean
from surrogate_training.models.generative import Condition, GenerativeModel
from surrogate_training.models.latent import LatentModel


@dataclass(frozen=True)
class Answered:
    """The net's answers beside what they should be, (B, P, ny, nx), and where they count."""

    output: Tensor
    target: Tensor
    weight: Tensor | None


class Denoising(Method):
    """Mean square of the net's answer less its target, over noise levels, noise and pairs."""

    CONFIGS: ClassVar = (DDPMConfig, EDMConfig, FlowConfig)
    generator: GenerativeModel

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, Generative)
        self.config = recipe.method

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> GenerativeModel:
        """See :class:`Method`."""
        assert isinstance(recipe.method, cls.CONFIGS)
        kind = GenerativeModel if recipe.model.latents is None else LatentModel
        return kind(recipe, statistics, make_process(recipe.method))

    def start(self, root: Path) -> None:
        """Begin from the weights that ``method.start`` names; a model of latents at least from its autoencoder."""
        if self.config.start:
            take_over(self.generator, load_start(self.recipe, self.statistics, root))
        elif isinstance(self.generator, LatentModel):
            take_autoencoder(self.generator, self.recipe, self.statistics, root=root)

    def prepare(self, batch: Batch, *, step: int) -> Answered:
        """Noise the frame at t2 at random levels, and let the net answer."""
        model = self.generator
        given = self._given(batch)
        w = self._drawn(batch, given)  # (B, P, ny, nx)
        t = model.process.times(len(w), w.device)  # (B,)
        noise = torch.randn_like(w)
        output = model.answer(model.process.noised(w, noise, t), t, given)
        return Answered(output, model.process.target(w, noise, t), batch.weight)

    def loss(self, network: str, context: Answered, *, step: int) -> Loss:
        """See the class; a part a field, or a channel of the latents."""
        square = (context.output.float() - context.target).square()
        parts = {}
        for name, one in zip(self.generator.names, square.unbind(1), strict=True):  # (B, ny, nx)
            counted = one if context.weight is None else weighted_mean(one, context.weight[:, 0])
            parts[name] = counted.mean()
        return Loss(torch.stack(list(parts.values())).mean(), parts)

    def _drawn(self, batch: Batch, given: Condition) -> Tensor:
        """What the process starts from: w of the true frame."""
        return self.generator.drawn(self.scaling.answer(batch.u1, batch.u2))

    def _given(self, batch: Batch, model: GenerativeModel | None = None) -> Condition:
        """What a model, the generator if none is named, draws the frames of a batch given: of some samples nothing."""
        model = model or self.generator
        x = self.scaling.normalise(batch.u1)
        given, _ = model.condition(x, model.program_parameters(batch.parameters, len(batch)))
        if self.config.condition_dropout == 0:
            return given
        drop = torch.rand(len(batch), device=x.device) < self.config.condition_dropout
        return model.dropped(given, drop)
