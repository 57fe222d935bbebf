"""Batches as a pure function of (seed, epoch, index): order, symmetry and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surrogate_training.config import ClipConfig, Recipe
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

    frames: Tensor
    parameters: Tensor | None = None
    weight: Tensor | None = None

    @property
    def u1(self) -> Tensor:
        """States at t1, (B, C, ny, nx)."""
        return self.frames[0]

    @property
    def u2(self) -> Tensor:
        """States one jump later, (B, C, ny, nx)."""
        return self.frames[1]

    def __len__(self) -> int:
        return self.frames.shape[1]

    def repeated(self, count: int) -> Batch:
        """The whole batch so many times over."""
        more = (
            None if t is None else t.repeat(count, *[1] * (t.ndim - 1))
            for t in (self.parameters, self.weight)
        )
        return Batch(self.frames.repeat(1, count, 1, 1, 1), *more)

    def to(self, device: torch.device) -> Batch:
        """The same on another device; from pinned memory the copy goes on while the caller does."""
        more = (
            None if t is None else t.to(device, non_blocking=True)
            for t in (self.parameters, self.weight)
        )
        return Batch(self.frames.to(device, non_blocking=True), *more)

    def pin_memory(self) -> Batch:
        """The same in page-locked memory (torch's loader calls this by its name)."""
        more = (None if t is None else t.pin_memory() for t in (self.parameters, self.weight))
        return Batch(self.frames.pin_memory(), *more)


@dataclass(frozen=True)
class Item:
    """One training sample as numpy arrays: a :class:`Batch` of one, without the axis B."""

    frames: symmetry.Array
    parameters: symmetry.Array | None
    weight: symmetry.Array | None


class BatchSource:
    """Augmented training batches.

    A step's batch depends on the recipe's seed and the step's number alone, so training resumed from a
    checkpoint continues exactly, and prefetching cannot change anything.

    Raises
    ------
    ValueError
        If no trajectory is long enough for the method's jumps.
    """

    def __init__(self, pairs: PairSet, recipe: Recipe, statistics: Statistics) -> None:
        self.pairs, self.recipe = pairs, recipe
        self.count = recipe.unroll + 1  # frames of a sample
        # pairs that so many frames begin with
        self.starts = np.asarray(pairs.spans(self.count) if self.count > 2 else range(len(pairs)))
        if not len(self.starts):
            raise ValueError(
                f"no training trajectory has {self.count} frames one jump apart, which method.unroll.jumps "
                f"({recipe.unroll}) needs: lower it, or record longer trajectories"
            )
        self.batch = min(recipe.optimiser.batch, len(self.starts))
        self.steps_per_epoch = len(self.starts) // self.batch
        locations = tuple(f.location for f in recipe.data.fields)
        self.layout = symmetry.Layout.of(recipe.names, locations, recipe.data.augment)
        captions = recipe.data.captions
        # method clip has nothing to learn from a pair without a caption
        keeps = captions is None or isinstance(recipe.method, ClipConfig)
        self.dropout = 0.0 if keeps or captions is None else captions.dropout
        self.noise = noise_scales(recipe, statistics)  # (C, 1, 1)
        self._epoch = -1, self.starts  # number and order of the epoch that was asked for last

    def step(self, step: int, *, shard: int = 0, shards: int = 1) -> Batch:
        """The batch of training step ``step`` (0, 1, …), or every ``shards``-th sample of it."""
        epoch, chosen = self._chosen(step, shard, shards)
        samples = [self.sample(epoch, int(i)) for i in chosen]
        parameters = [s.parameters for s in samples if s.parameters is not None]
        weights = [s.weight for s in samples if s.weight is not None]
        return Batch(
            torch.from_numpy(
                np.stack([s.frames for s in samples], axis=1)
            ),  # (K + 1, B, C, ny, nx)
            torch.from_numpy(np.stack(parameters)) if parameters else None,  # (B, P)
            torch.from_numpy(np.stack(weights)) if weights else None,  # (B, 1, ny, nx)
        )

    def names(self, step: int, *, shard: int = 0, shards: int = 1) -> list[str]:
        """File and first frame of each sample of :meth:`step`."""
        _, chosen = self._chosen(step, shard, shards)
        found = (self.pairs.where(int(i)) for i in chosen)
        return [f"{file} frame {frame}" for file, frame in found]

    def sample(self, epoch: int, index: int) -> Item:
        """One augmented sample; noise is added to its first frame only, and not where data is missing."""
        rng = np.random.default_rng([self.recipe.seed, _SAMPLE, epoch, index])
        found = self.pairs.sample(index, self.count)
        frames, weight = found.states, found.weight
        shape = (frames.shape[-2], frames.shape[-1])
        element = symmetry.draw(rng, shape, self.recipe.data.augment)
        frames = symmetry.apply(frames, element, self.layout)  # (K + 1, C, ny, nx)
        if weight is not None:
            weight = symmetry.apply(weight, element, symmetry.Layout(corner=(False,)))
        if self.recipe.method.noise > 0:
            noise = self.noise * rng.standard_normal(frames[0].shape, dtype=np.float32)
            frames[0] += noise if weight is None else noise * weight
        return Item(frames, self._parameters(index, rng), weight)

    def _parameters(self, index: int, rng: np.random.Generator) -> symmetry.Array | None:
        """Scalar parameters and token ids, the latter sometimes left out."""
        found, captions = self.pairs.parameters(index), self.recipe.data.captions
        if captions is not None and found is not None and rng.random() < self.dropout:
            found[-captions.length :] = 0
        return found

    def _chosen(self, step: int, shard: int, shards: int) -> tuple[int, np.ndarray]:
        """Epoch of a step, and the pairs of every ``shards``-th sample of its batch."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch[0]:
            rng = np.random.default_rng([self.recipe.seed, _ORDER, epoch])
            self._epoch = epoch, self.starts[rng.permutation(len(self.starts))]
        order = self._epoch[1]
        return epoch, order[place * self.batch : (place + 1) * self.batch][shard::shards]


def stored(pairs: PairSet, index: int) -> Batch:
    """One pair as it is in its file, a batch of one."""
    found = pairs.sample(index)
    frames = torch.from_numpy(np.array(found.states))[:, None]  # (2, 1, C, ny, nx)
    more = (pairs.parameters(index), found.weight)
    parameters, weight = (None if a is None else torch.from_numpy(a)[None] for a in more)
    return Batch(frames, parameters, weight)


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
