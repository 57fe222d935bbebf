"""The generator of methods that learn a distribution: a net that removes noise, and the sampler that evaluates it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import Process
from surrogate_training.diffusion.samplers import EVERY, draws, intervals
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.level import LevelEmbedding


@dataclass(frozen=True)
class Condition:
    """What a frame is drawn given.

    Attributes
    ----------
    features : Tensor, shape (B, F, ny, nx)
        Of the state at t1.
    embedded : Tensor, shape (B, E), optional
        Of the scalar parameters, where there are some.
    """

    features: Tensor
    embedded: Tensor | None


class GenerativeModel(FieldModel):
    """Draws w, the standardised increment or frame that a regression net would return the mean of.

    As a program it is a :class:`FieldModel` with noise inputs: ``forward`` runs the whole sampler, unrolled, with
    ``steps`` evaluations of the net.

    Parameters
    ----------
    recipe, statistics
        Of the training.
    process : Process
        Between w and noise.
    more_channels : int
        Channels that the net reads besides the features and x_t.

    Attributes
    ----------
    steps : int
        Evaluations of the net a frame.
    names : tuple of str
        Of the channels that the process draws.
    """

    def __init__(
        self, recipe: Recipe, statistics: Statistics, process: Process, *, more_channels: int = 0
    ) -> None:
        names = self.drawn_names(recipe)
        super().__init__(
            recipe, statistics, more_channels=len(names) + more_channels, embedded=True
        )
        self.names = names
        self.process = process
        self.level = LevelEmbedding()
        config = recipe.sampler
        self.sampler = process.sampler if config.kind == "auto" else config.kind
        self.steps = config.preset
        normals = self.normals(recipe)
        self.noise_inputs = {"initial": normals} if process.from_noise else {}
        if later := draws(self.sampler, max(config.steps)):
            self.noise_inputs["later"] = later * normals

    @staticmethod
    def drawn_names(recipe: Recipe) -> tuple[str, ...]:
        """Of the channels that the process draws: the predicted fields."""
        return tuple(field.name for field in recipe.predicted)

    @staticmethod
    def normals(recipe: Recipe) -> int:
        """Channels of the full grid that one draw's normals take."""
        return len(recipe.predicted)

    def variant(self, steps: int) -> Self:
        """The same weights with another number of evaluations."""
        other = copy.copy(self)
        other.steps = steps
        return other

    def condition(
        self, x: Tensor, more: tuple[Tensor, ...]
    ) -> tuple[Condition, tuple[Tensor, ...]]:
        """The program's inputs → what a frame is drawn given, and the noise."""
        if self.embedding is None:
            return Condition(self.features(x), None), more
        return Condition(self.features(x), self.embedding(more[0])), more[1:]

    def answer(self, noised: Tensor, t: Tensor, given: Condition) -> Tensor:
        """The net's answer to x_t (B, P, ny, nx) at times (B,) or (1,); see :class:`Process`."""
        embedded = self.level(self.process.level(t))  # (B, E) or (1, E)
        if given.embedded is not None:
            embedded = embedded + given.embedded
        seen = torch.cat([given.features, self.process.shown(noised, t)], 1)  # (B, F + P, ny, nx)
        return self.net(seen, embedded)  # type: ignore[no-any-return]

    def drawn(self, z: Tensor) -> Tensor:
        """What the process draws in place of standardised increments or frames z (B, P, ny, nx): z itself."""
        return z

    def draw(self, given: Condition, noise: tuple[Tensor, ...]) -> Tensor:
        """Run the sampler: w (B, P, ny, nx) from the noise inputs."""
        schedule = self.process.schedule(intervals(self.sampler, self.steps))

        def denoise(x: Tensor, time: float) -> Tensor:
            t = x.new_full((1,), time)
            return self.process.denoised(self.answer(x, t, given), x, t)

        channels = len(self.names)
        if self.process.from_noise:
            initial, *later = noise
            x = schedule.sigmas[0] * initial
        else:
            later = list(noise)
            x = torch.zeros_like(given.features[:, :1]).repeat(1, channels, 1, 1)  # (B, P, ny, nx)
        every = torch.split(later[0], channels, 1) if later else ()
        return EVERY[self.sampler](
            denoise,
            x,
            schedule,
            noise=every[: draws(self.sampler, self.steps)],
            evaluations=self.steps,
        )

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        return self.draw(*self.condition(x, more))
