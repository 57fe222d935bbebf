"""``crps``: a net that reads noise learns to spread its frames as the truth does, one evaluation a frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from surrogate_training.config import CRPSConfig, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.methods.warm_start import load_start, take_over
from surrogate_training.metrics.relative import weighted_mean
from surrogate_training.models.noisy import NoisyModel

FRESH = 0.3
"""Size of the noise channels' first weights after a warm start, in units of those that a fresh net begins with.

Not zero: without noise all members are equal, where |x_j - x_k| has no gradient that would part them.
"""


@dataclass(frozen=True)
class Members:
    """Frames drawn (M, B, P, ny, nx) beside the true one (B, P, ny, nx), and where they count (B, 1, ny, nx)."""

    drawn: Tensor
    truth: Tensor
    weight: Tensor | None


class CRPS(Method):
    """Almost fair CRPS of a few members a sample, cell by cell, and of means over squares of cells."""

    generator: NoisyModel

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, CRPSConfig)
        self.config = recipe.method
        for size in self.config.scales:
            if any(cells % size for cells in statistics.shape):
                raise ValueError(
                    f"method.scales has {size}, which does not divide the data's {statistics.shape} cells: choose "
                    "sizes that do"
                )

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> NoisyModel:
        """See :class:`Method`."""
        assert isinstance(recipe.method, CRPSConfig)
        return NoisyModel(recipe, statistics, recipe.method.noise_channels)

    def start(self, root: Path) -> None:
        """A regression run's net, with small weights for the noise."""
        if self.config.start:
            found = load_start(self.recipe, self.statistics, root)
            take_over(self.generator, found, fresh=FRESH)

    def prepare(self, batch: Batch, *, step: int) -> Members:
        """Draw the members in one pass of the net."""
        m = self.config.members
        u1 = batch.u1.repeat(m, 1, 1, 1)  # (M B, C, ny, nx)
        parameters = None if batch.parameters is None else batch.parameters.repeat(m, 1)
        x = self.scaling.normalise(u1)
        drawn = self.generator.standardised(x, *self.generator.more_inputs(x, parameters)).float()
        truth = self.scaling.answer(batch.u1, batch.u2)  # (B, P, ny, nx)
        if self.config.space == "physical":
            y = self.generator.output(x, drawn)
            drawn = self._in_increments(self.scaling.frame(u1, y))
            truth = self._in_increments(self.scaling.predicted(batch.u2))
        return Members(drawn.reshape(m, *truth.shape), truth, batch.weight)

    def loss(self, network: str, context: Members, *, step: int) -> Loss:
        """Mean over the fields and ``scales``; a part a field, over its scales."""
        drawn, weight = context.drawn, context.weight
        if (
            weight is not None
        ):  # where there is no truth, means over squares must not see the filler
            drawn = torch.where(weight > 0, drawn, context.truth)
        scores = [self._score(drawn, context.truth, weight, size) for size in self.config.scales]
        found = torch.stack(scores).mean(0)  # (P,)
        parts = {f.name: part for f, part in zip(self.recipe.predicted, found, strict=True)}
        return Loss(found.mean(), parts)

    def _score(self, drawn: Tensor, truth: Tensor, weight: Tensor | None, size: int) -> Tensor:
        """Of means over squares of `size` cells, by field, (P,)."""
        y = _pooled(truth, size)  # (B, P, ny / size, nx / size)
        members = _pooled(drawn.flatten(0, 1), size).reshape(len(drawn), *y.shape)
        crps = almost_fair_crps(members, y, self.config.fairness)
        if weight is None:
            return crps.mean((0, 2, 3))
        counted = _pooled(weight, size)[:, 0]  # (B, ny / size, nx / size)
        return torch.stack([weighted_mean(one, counted).mean() for one in crps.unbind(1)])

    def _in_increments(self, frame: Tensor) -> Tensor:
        """Predicted fields (B, P, ny, nx), physical → in units of their increments' standard deviations."""
        stds = [self.statistics.fields[f.name].increment_std for f in self.recipe.predicted]
        return frame / frame.new_tensor(stds)[:, None, None]


def almost_fair_crps(members: Tensor, truth: Tensor, fairness: float) -> Tensor:
    """α fair CRPS + (1 - α) CRPS of M members, M ≥ 2 (Lang et al. 2024, arXiv:2412.15832, eq. 4).

    ``mean_j |x_j - y| - (1 - (1 - α) / M) / (M (M - 1)) sum_{j<k} |x_j - x_k|``. With α = 1 and two members, one of
    which is exact, the other is free: the ordinary CRPS holds it.

    Parameters
    ----------
    members : Tensor, shape (M, ...)
    truth : Tensor, shape (...)
    fairness : float
        α.

    Returns
    -------
    Tensor, shape (...)
    """
    m = len(members)
    distance = (members - truth).abs().mean(0)
    pairs = torch.combinations(torch.arange(m, device=members.device))  # (M (M - 1) / 2, 2)
    apart = (members[pairs[:, 0]] - members[pairs[:, 1]]).abs().sum(0)
    return distance - (1 - (1 - fairness) / m) / (m * (m - 1)) * apart


def _pooled(u: Tensor, size: int) -> Tensor:
    """(B, C, ny, nx) → (B, C, ny / size, nx / size), means."""
    return u if size == 1 else functional.avg_pool2d(u, size)
