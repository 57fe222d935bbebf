"""A trained model on pairs of a data set, with the inputs that the run time would give it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from surrogate.noise import noise
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.models.scaling import Scaling

Array = NDArray[np.float32]


class Predictor:
    """States at t2 by a model in eval mode, on the CPU; stochastic models draw as at the given step."""

    def __init__(self, model: FieldModel, recipe: Recipe, statistics: Statistics) -> None:
        self.model, self.recipe = model, recipe
        self.scaling = Scaling(recipe, statistics)

    def inputs(self, pairs: PairSet, index: int, *, step: int = 0) -> tuple[Tensor, ...]:
        """What the program reads of a pair at t1: see :meth:`inputs_of`."""
        state = np.array(pairs.pair(index)[:1])
        return self.inputs_of(state, pairs.parameters(index), step=step)

    def inputs_of(
        self,
        state: Array,
        parameters: Array | None,
        *,
        step: int,
        seed: int = 0,
        member: int = 0,
        members: int = 1,
    ) -> tuple[Tensor, ...]:
        """A state (1, C, ny, nx), normalised, with parameters (B, P) and noise (B, channels, ny, nx); B: members."""
        x = self.scaling.normalise(torch.from_numpy(state)).expand(members, -1, -1, -1)
        values = None
        if parameters is not None:
            values = torch.tensor(parameters)[None].repeat(members, 1)  # (B, Q)
        given: tuple[Tensor, ...] = () if values is None else (values,)
        if isinstance(self.model, GenerativeModel):
            given = self.model.program_parameters(values, members)
        drawn = [
            [
                noise(
                    state.shape[2:],
                    step=step,
                    seed=seed,
                    member=one,
                    channels=channels,
                    noise_input=number,
                )
                for one in range(member, member + members)
            ]
            for number, channels in enumerate(self.model.noise_inputs.values())
        ]
        return (x, *given, *(torch.from_numpy(np.stack(n)) for n in drawn))

    @torch.no_grad()
    def members(
        self,
        state: Array,
        parameters: Array | None,
        *,
        step: int,
        seed: int = 0,
        member: int = 0,
        members: int = 1,
    ) -> Array:
        """Predicted fields (B, P, ny, nx) at t2 of a state (1, C, ny, nx), all members in one call."""
        inputs = self.inputs_of(
            state, parameters, step=step, seed=seed, member=member, members=members
        )
        frames = self.scaling.frame(torch.from_numpy(state), self.model(*inputs))
        return np.asarray(frames.numpy())

    @torch.no_grad()
    def __call__(self, pairs: PairSet, index: int, *, step: int | None = None) -> Array:
        """The whole state at t2, (1, C, ny, nx): predicted fields, and conditions as they were at t1.

        Parameters
        ----------
        pairs, index
            Which pair.
        step : int, optional
            Whose noise a stochastic model draws; default: that of step `index`.
        """
        state = torch.from_numpy(np.array(pairs.pair(index)[:1]))
        y = self.model(*self.inputs(pairs, index, step=index if step is None else step))
        return np.asarray(self.scaling.state(state, self.scaling.frame(state, y)).numpy())


def guided(model: FieldModel) -> bool:
    """Whether a model's program has the parameter ``guidance``."""
    return isinstance(model, GenerativeModel) and model.guided


def scalars(model: FieldModel, recipe: Recipe) -> int:
    """How many scalar parameters a model's program has; a caption's token ids stand behind them."""
    return len(recipe.data.parameters) + guided(model)
