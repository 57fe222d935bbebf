"""The generator of methods that learn a distribution: a net that removes noise, and the sampler that evaluates it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from surrogate_training.config import Generative, Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import Process
from surrogate_training.diffusion.samplers import EVERY, draws, intervals
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.film import EMBEDDING
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
    guidance : Tensor, shape (B, 1, 1, 1), optional
        Weight g of classifier-free guidance, where the program has it.
    """

    features: Tensor
    embedded: Tensor | None
    guidance: Tensor | None = None


class GenerativeModel(FieldModel):
    """Draws w, the standardised increment or frame that a regression net would return the mean of.

    As a program it is a :class:`FieldModel` with noise inputs: ``forward`` runs the whole sampler, unrolled, with
    ``steps`` evaluations of the net.

    With ``sampler.guidance`` the scalar parameters have one more, the weight g: w = null + g (conditional - null) at
    every evaluation (Ho & Salimans 2022, arXiv:2207.12598), which then passes the net twice as many samples. The null
    condition is features of 0 and a vector that is learnt, so that a state of zeros is none.

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
        self.scalars, self.guided = len(recipe.data.parameters), config.guidance > 0
        self.null = None
        assert isinstance(recipe.method, Generative)
        if recipe.method.condition_dropout > 0:  # about as large as what is embedded
            self.null = nn.Parameter(0.3 * torch.randn(EMBEDDING))
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

    def more_inputs(self, x: Tensor, parameters: Tensor | None) -> tuple[Tensor, ...]:
        """See :class:`FieldModel`; the weight of guidance is 1, the conditional model's."""
        found = super().more_inputs(x, parameters)
        noise = found if self.embedding is None else found[1:]
        return (*self.program_parameters(parameters, len(x)), *noise)

    def program_parameters(self, parameters: Tensor | None, count: int) -> tuple[Tensor, ...]:
        """Parameters (B, Q) of `count` samples, if any, as the program takes them: with g = 1 if it has guidance."""
        if not self.guided:
            return () if parameters is None else (parameters,)
        device = next(self.parameters()).device
        one = torch.ones(count, 1, device=device)
        if parameters is None:
            return (one,)
        scalars, caption = parameters[:, : self.scalars], parameters[:, self.scalars :]
        return (torch.cat([scalars, one, caption], 1),)

    def condition(
        self, x: Tensor, more: tuple[Tensor, ...]
    ) -> tuple[Condition, tuple[Tensor, ...]]:
        """The program's inputs → what a frame is drawn given, and the noise."""
        parameters, guidance, noise = self.split(more)
        embedded = None
        if self.embedding is not None:
            embedded = self.embedding(parameters)
        return Condition(self.features(x), embedded, guidance), noise

    def split(
        self, more: tuple[Tensor, ...]
    ) -> tuple[Tensor | None, Tensor | None, tuple[Tensor, ...]]:
        """What follows the state in a program → parameters (B, Q), if any, g (B, 1, 1, 1), if any, and the noise."""
        if not self.guided:
            return (None, None, more) if self.embedding is None else (more[0], None, more[1:])
        given, n = more[0], self.scalars
        parameters = torch.cat([given[:, :n], given[:, n + 1 :]], 1)  # (B, Q)
        return parameters, given[:, n, None, None, None], more[1:]

    def dropped(self, given: Condition, drop: Tensor) -> Condition:
        """The null condition for the samples where `drop` (B,) is true."""
        assert self.null is not None
        chosen = drop[:, None]
        embedded = torch.zeros_like(self.null) if given.embedded is None else given.embedded
        return replace(
            given,
            features=given.features.masked_fill(chosen[..., None, None], 0.0),
            embedded=torch.where(chosen, self.null, embedded),  # (B, E)
        )

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
            if given.guidance is None:
                return self.process.denoised(self.answer(x, t, given), x, t)
            return self._guided(x, t, given, given.guidance)

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

    def _guided(self, x: Tensor, t: Tensor, given: Condition, weight: Tensor) -> Tensor:
        """Null + g (conditional - null), of one pass with both: with g = 1 the conditional one to the bit."""
        nobody = torch.zeros_like(
            x[:, 0, 0, 0], dtype=torch.bool
        )  # (B,), B free in a traced program
        with_, without = self.dropped(given, nobody), self.dropped(given, ~nobody)
        assert with_.embedded is not None
        assert without.embedded is not None
        both = Condition(
            torch.cat([with_.features, without.features]),
            torch.cat([with_.embedded, without.embedded]),
        )
        noised = torch.cat([x, x])  # (2 B, P, ny, nx)
        drawn = self.process.denoised(self.answer(noised, t, both), noised, t)
        w, null = torch.unflatten(drawn, 0, (2, -1)).unbind()  # (B, P, ny, nx) each, of any B
        return w + (weight - 1) * (w - null)
