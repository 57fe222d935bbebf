"""Batches as a pure function of (seed, epoch, index): order, symmetry and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from surrogate_training.config import Recipe
from surrogate_training.data import symmetry
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.statistics import Statistics

_ORDER, _SAMPLE = 0, 1  # streams of random numbers


@dataclass(frozen=True)
class Batch:
    """Training samples, float32, in physical units.

    Attributes
    ----------
    frames : Tensor, shape (K + 1, B, C, ny, nx)
        States one jump apart, conditions included, K the method's number of jumps; the first with input noise.
    parameters : Tensor, shape (B, P), optional
        Scalar inputs, where the recipe has them.
    weight : Tensor, shape (B, 1, ny, nx), optional
        1 where there is data, 0 where it is missing; None: everywhere.
    """

    frames: torch.Tensor
    parameters: torch.Tensor | None = None
    weight: torch.Tensor | None = None

    @property
    def u1(self) -> torch.Tensor:
        """States at t1, (B, C, ny, nx)."""
        return self.frames[0]

    @property
    def u2(self) -> torch.Tensor:
        """States one jump later, (B, C, ny, nx)."""
        return self.frames[1]

    def __len__(self) -> int:
        return self.frames.shape[1]

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        more = (None if t is None else t.to(device) for t in (self.parameters, self.weight))
        return Batch(self.frames.to(device), *more)


class BatchSource:
    """Augmented training batches.

    A step's batch depends on the recipe's seed and the step's number alone, so training resumed from a
    checkpoint continues exactly, and prefetching cannot change anything.
    """

    def __init__(self, pairs: PairSet, recipe: Recipe, statistics: Statistics) -> None:
        self.pairs, self.recipe = pairs, recipe
        self.batch = min(recipe.optimiser.batch, len(pairs))
        self.steps_per_epoch = len(pairs) // self.batch
        locations = tuple(f.location for f in recipe.data.fields)
        self.layout = symmetry.Layout.of(recipe.names, locations, recipe.data.augment)
        self.noise = noise_scales(recipe, statistics)  # (C, 1, 1)

    def step(self, step: int, *, shard: int = 0, shards: int = 1) -> Batch:
        """The batch of training step ``step`` (0, 1, …), or every ``shards``-th sample of it."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.recipe.seed, _ORDER, epoch]).permutation(
            len(self.pairs)
        )
        chosen = order[place * self.batch : (place + 1) * self.batch]
        samples = [self.sample(epoch, int(i)) for i in chosen[shard::shards]]
        return Batch(torch.from_numpy(np.stack(samples, axis=1)))  # (2, B, C, ny, nx)

    def sample(self, epoch: int, index: int) -> symmetry.Array:
        """One augmented pair, (2, C, ny, nx); noise is added to t1 only."""
        rng = np.random.default_rng([self.recipe.seed, _SAMPLE, epoch, index])
        pair = self.pairs.pair(index)
        shape = (pair.shape[-2], pair.shape[-1])
        element = symmetry.draw(rng, shape, self.recipe.data.augment)
        pair = symmetry.apply(pair, element, self.layout)
        if self.recipe.method.noise > 0:
            pair[0] += self.noise * rng.standard_normal(pair[0].shape, dtype=np.float32)
        return pair


def noise_scales(recipe: Recipe, statistics: Statistics) -> symmetry.Array:
    """Std of the input noise, float32 (C, 1, 1).

    A potential's noise is scaled so that its *curl* has the asked-for relative size: white noise as large as
    1 % of A_z would be far more than 1 % of B.
    """
    scales = []
    for name in recipe.names:
        s = statistics.fields[name]
        scale = s.std
        if name in recipe.potentials:
            scale = s.gradient_std * min(statistics.spacing) / np.sqrt(2)
        scales.append(recipe.method.noise * scale)
    return np.asarray(scales, np.float32).reshape(-1, 1, 1)
