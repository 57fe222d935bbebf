"""What every method is: networks, and the loss that each of them minimises in a training step.

A step of the trainer is::

    for network in method.phases(step):
        context = method.prepare(batch, step=step)
        loss = method.loss(network, context, step=step)
        (gradients of loss.total by the parameters of method.networks[network]; clip; its optimiser's step)

with the context kept from phase to phase where a batch is one part. A method neither owns optimisers nor knows of
devices, precisions, processes or checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.scaling import Scaling

GENERATOR = "generator"


@dataclass(frozen=True)
class Loss:
    """The loss and its parts by name (of fields: bx and by stand for a potential's curl)."""

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)


class Method(nn.Module, ABC):
    """A way to train a generator.

    Attributes
    ----------
    networks : ModuleDict
        Those that are trained: the first, ``generator``, is averaged, validated and, if it is a :class:`FieldModel`,
        exported; others live in training only.
    scaling : Scaling
        Between physical units and the generator's.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.recipe, self.statistics = recipe, statistics
        self.networks = nn.ModuleDict({GENERATOR: self.make_network(recipe, statistics)})
        self.scaling = Scaling(recipe, statistics)

    @classmethod
    def make_network(cls, recipe: Recipe, statistics: Statistics) -> nn.Module:
        """The first network, freshly initialised; of a method that makes no frames this is no generator."""
        return cls.make_generator(recipe, statistics)

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> FieldModel:
        """The generator of a recipe, freshly initialised: also what a checkpoint's weights are loaded into."""
        return FieldModel(recipe, statistics)

    def start(self, root: Path) -> None:
        """Take over what another run has learnt, before the first step of a fresh run; default: nothing.

        Parameters
        ----------
        root : Path
            Folder that run folders named in the recipe are relative to.
        """

    @property
    def network(self) -> nn.Module:
        """What is averaged and validated."""
        return self.networks[GENERATOR]

    @property
    def generator(self) -> FieldModel:
        """What is exported."""
        found = self.network
        assert isinstance(found, FieldModel)
        return found

    def phases(self, step: int) -> tuple[str, ...]:
        """Names of the networks that step ``step`` updates, in order."""
        return (GENERATOR,)

    def learning_rate(self, network: str) -> float:
        """The largest rate of a network's optimiser."""
        return self.recipe.optimiser.learning_rate

    def truth(self, batch: Batch) -> Tensor:
        """What a prediction is compared with, (B, P, ny, nx), physical: the fields at t2."""
        return self.scaling.predicted(batch.u2)

    def inputs(self, batch: Batch, state: Tensor) -> tuple[Tensor, ...]:
        """What the generator takes: `state` (B, C, ny, nx), physical, normalised; the batch's parameters; noise."""
        x = self.scaling.normalise(state)
        return (x, *self.generator.more_inputs(x, batch.parameters))

    @abstractmethod
    def prepare(self, batch: Batch, *, step: int) -> Any:
        """What the phases of a step share, predictions above all, with their graph; opaque to the trainer."""

    @abstractmethod
    def loss(self, network: str, context: Any, *, step: int) -> Loss:
        """What ``network`` minimises, from :meth:`prepare`'s result; mean over the samples."""
