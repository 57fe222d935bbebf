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
from surrogate_training.models.scaling import Scaling

Array = NDArray[np.float32]


class Predictor:
    """States at t2 by a model in eval mode, on the CPU; stochastic models draw as at the given step."""

    def __init__(self, model: FieldModel, recipe: Recipe, statistics: Statistics) -> None:
        self.model = model
        self.scaling = Scaling(recipe, statistics)

    def inputs(self, pairs: PairSet, index: int, *, step: int = 0) -> tuple[Tensor, ...]:
        """What the program reads of a pair at t1: see :meth:`inputs_of`."""
        state = np.array(pairs.pair(index)[:1])
        return self.inputs_of(state, pairs.parameters(index), step=step)

    def inputs_of(
        self, state: Array, parameters: Array | None, *, step: int, member: int = 0
    ) -> tuple[Tensor, ...]:
        """A state (1, C, ny, nx), normalised, with parameters (1, P) and noise (1, channels, ny, nx)."""
        given = () if parameters is None else (torch.from_numpy(np.array(parameters))[None],)
        drawn = [
            noise(state.shape[2:], step=step, member=member, channels=channels, noise_input=number)
            for number, channels in enumerate(self.model.noise_inputs.values())
        ]
        x = self.scaling.normalise(torch.from_numpy(state))
        return (x, *given, *(torch.from_numpy(n)[None] for n in drawn))

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
