"""The example pair of a bundle: a state that its guards accept, with what the program makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surrogate.bundle.manifest import Manifest
from surrogate.reference_guards import judge
from surrogate_training.data.pairs import PairSet
from surrogate_training.models.fields import FieldModel
from surrogate_training.predictor import Predictor, scalars
from surrogate_training.programs import Inputs

STEP = 0
"""Whose noise the example has, of a stochastic model."""


@dataclass(frozen=True)
class ExamplePair:
    """One pair.

    Attributes
    ----------
    state : Tensor, shape (1, C, ny, nx)
        At t1, physical.
    inputs : sequence of Tensor
        Of the program.
    y : Tensor, shape (1, P, ny, nx)
        Its output; of a sampler its preset's.
    scalars : list of float, optional
        Its scalar parameters.
    caption : str, optional
        What is said of the state, where the model has captions.
    """

    state: Tensor
    inputs: Inputs
    y: Tensor
    scalars: list[float] | None
    caption: str | None

    @classmethod
    def of(cls, predictor: Predictor, pairs: PairSet, index: int) -> ExamplePair:
        """Of a pair of a data set."""
        state = torch.from_numpy(np.array(pairs.pair(index)[:1]))
        inputs = predictor.inputs(pairs, index, step=STEP)
        count = scalars(predictor.model, predictor.recipe)
        given = inputs[1][0, :count].tolist() if count else None
        with torch.no_grad():
            return cls(state, inputs, predictor.model(*inputs), given, pairs.caption(index))

    def tensors(self, model: FieldModel) -> dict[str, np.ndarray]:
        """By the names of :class:`surrogate.bundle.manifest.Example`, float32."""
        parameters = ["parameters"] if self.inputs[1:] and self.inputs[1].ndim == 2 else []
        names = ["input", *parameters, *(f"noise.{name}" for name in model.noise_inputs)]
        pairs = zip([*names, "expected"], [*self.inputs, self.y], strict=True)
        return {
            name: np.ascontiguousarray(entry.numpy(), dtype=np.float32) for name, entry in pairs
        }


def choose_example(
    predictor: Predictor, sets: dict[str, PairSet], manifest: Manifest
) -> ExamplePair:
    """The first test state that the guards accept, so that the run time replays it; else one of validation, or any.

    Parameters
    ----------
    predictor : Predictor
        Of the model.
    sets : dict of str to PairSet
        ``test`` and ``validation``.
    manifest : Manifest
        With the guards.
    """
    for pairs, index in _candidates(sets):
        state = np.array(pairs.pair(index)[:1])
        frame = predictor(pairs, index, step=STEP)
        if judge(manifest, state, frame).rejection is None:
            return ExamplePair.of(predictor, pairs, index)
    return ExamplePair.of(predictor, sets["test"], 0)


def _candidates(sets: dict[str, PairSet]) -> Iterator[tuple[PairSet, int]]:
    for part in ("test", "validation"):
        for index in range(len(sets[part])):
            yield sets[part], index
