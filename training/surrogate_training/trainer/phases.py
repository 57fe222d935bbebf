"""One training step: a method's networks one after the other, each with its own optimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.prefetch import Rounds, Share
from surrogate_training.methods.method import GENERATOR, Loss, Method
from surrogate_training.trainer.gradients import Contexts, Gradients
from surrogate_training.trainer.optimisers import make_optimiser
from surrogate_training.trainer.processes import Processes
from surrogate_training.trainer.schedule import learning_rate


class NotFiniteError(RuntimeError):
    """A loss or a gradient is not finite; the network has not been changed by it."""

    def __init__(self, network: str, loss: float, norm: float) -> None:
        super().__init__(f"the loss is {loss} and the gradient's norm {norm}")
        self.network, self.loss, self.norm = network, loss, norm


@dataclass(frozen=True)
class Update:
    """What one network's phase did: its loss (detached), its gradient's norm before clipping, its rate."""

    loss: Loss
    norm: float
    rate: float


class Phases:
    """The networks of a method and their optimisers.

    Attributes
    ----------
    optimisers : dict of str to optimiser
        By name of the network.
    """

    def __init__(self, method: Method, recipe: Recipe, share: Share, processes: Processes) -> None:
        self.method, self.config, self.processes = method, recipe.optimiser, processes
        self.gradients = Gradients(method, recipe, share, processes)
        self.optimisers: dict[str, Any] = {
            name: processes.prepare(
                make_optimiser(network, self.config, rate=method.learning_rate(name))
            )
            for name, network in method.networks.items()
        }

    def advance(self, step: int, rounds: Rounds, *, batch: int) -> dict[str, Update]:
        """Make step ``step`` (0, 1, …) with this process's part of a batch of ``batch`` samples.

        Raises
        ------
        NotFiniteError
            Before the network in question is changed.
        """
        contexts: Contexts = {}
        done = {
            name: self._update(name, step, rounds, contexts, batch)
            for name in self.method.phases(step)
        }
        self._synchronise()
        return done

    def close(self) -> None:
        """End the threads."""
        self.gradients.close()

    def _update(
        self, name: str, step: int, rounds: Rounds, contexts: Contexts, batch: int
    ) -> Update:
        optimiser = self.optimisers[name]
        rate = learning_rate(step, self.config, peak=self.method.learning_rate(name))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = self.gradients.of(name, step, rounds, contexts, batch=batch)
        self.processes.unscale(optimiser)
        parameters = self.gradients.parameters[name]
        clipped = nn.utils.clip_grad_norm_(parameters, self.config.clip)
        total, norm = torch.stack([loss.total.double(), clipped.double()]).tolist()
        if not math.isfinite(total) or not (math.isfinite(norm) or self.processes.scales):
            raise NotFiniteError(name, total, norm)
        optimiser.step()
        return Update(loss, norm, rate)

    @torch.no_grad()
    def _synchronise(self) -> None:
        """Give all processes the mean of their running statistics: each has seen its part of the batch."""
        if self.processes.count == 1:
            return
        statistics = running_statistics(self.method.networks)
        if statistics:
            for kept, total in zip(statistics, self.processes.total(statistics), strict=True):
                kept.copy_(total / self.processes.count)


def running_statistics(networks: nn.Module) -> list[Tensor]:
    """Means and variances that norms gather in training."""
    return [
        value
        for name, value in networks.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    ]


def logged(updates: dict[str, Update]) -> dict[str, float]:
    """Numbers of a step by name; those of the generator without, of other networks with a prefix."""
    values: dict[str, float] = {}
    for network, update in updates.items():
        prefix = "" if network == GENERATOR else f"{network}."
        values[f"{prefix}loss"] = float(update.loss.total)
        values |= {f"{prefix}{name}": float(part) for name, part in update.loss.parts.items()}
        values |= {f"{prefix}norm": update.norm, f"{prefix}lr": update.rate}
    return values
