"""Gradients of one network in one step, from the parts of a batch: threads, rounds, processes.

Threads inside operators meet at a barrier hundreds of times a step, which is slow where other programs use the
same cores; shards meet once. Gradients are added in the order of the parts, so a result depends on the
number of shards (a key of the recipe), not on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.prefetch import Rounds, Share
from surrogate_training.methods.method import Loss, Method
from surrogate_training.trainer.processes import Processes
from surrogate_training.trainer.seeds import METHOD, seed_torch

Contexts = dict[int, Any]
"""What a method has prepared of a step, by part: kept from phase to phase."""


class Part(NamedTuple):
    """What one part of a batch gives."""

    loss: Loss
    gradients: list[Tensor]
    size: int


class Gradients:
    """Computes a method's losses and their gradients by one network's parameters."""

    def __init__(self, method: Method, recipe: Recipe, share: Share, processes: Processes) -> None:
        self.method, self.share, self.processes = method, share, processes
        self.seed = recipe.seed
        # those that are frozen have no gradient, and autograd refuses to be asked for it
        self.parameters = {
            name: [p for p in network.parameters() if p.requires_grad]
            for name, network in method.networks.items()
        }
        self.threads = recipe.run.threads
        self._pool: ThreadPoolExecutor | None = None

    def of(
        self, network: str, step: int, rounds: Rounds, contexts: Contexts, *, batch: int
    ) -> Loss:
        """Set ``.grad`` of a network's parameters, and return the loss (detached) over all processes.

        Parameters
        ----------
        network : str
            Name among the method's networks.
        step : int
            Number of the training step.
        rounds : list of list of Batch
            This process's part of the batch.
        contexts : dict
            Empty at the first phase of a step, then the same one. Only where a process's batch is one part is a context
            kept: rounds are there to save memory.
        batch : int
            Samples of the whole batch.
        """
        total: list[Tensor] = []
        losses: list[Loss] = []
        weights: list[float] = []
        for number, shards in enumerate(rounds):
            for part in self._round(network, step, number, shards, contexts):
                weight = part.size / batch
                scaled = [g * weight for g in part.gradients] if weight != 1 else part.gradients
                total = [a + b for a, b in zip(total, scaled, strict=True)] if total else scaled
                losses.append(part.loss)
                weights.append(weight)
        parts = losses[0].parts
        values = [
            _weighted([loss.total for loss in losses], weights),
            *(_weighted([loss.parts[k] for loss in losses], weights) for k in parts),
        ]
        summed = self.processes.total([*total, *values])
        for parameter, gradient in zip(self.parameters[network], summed, strict=False):
            parameter.grad = _laid_out(gradient, parameter)
        mean, *means = summed[len(total) :]
        return Loss(mean, dict(zip(parts, means, strict=True)))

    def close(self) -> None:
        """End the threads; the next step starts them again."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _round(
        self, network: str, step: int, number: int, shards: list[Batch], contexts: Contexts
    ) -> Iterable[Part]:
        if self.share.shards == 1:
            part = self.share.part(number, 0)
            # masks of dropout and a method's own noise: functions of (seed, step, part), the same in every phase
            seed_torch(self.seed, METHOD, step, part)
            return [self._part(network, step, part, shards[0], contexts)]
        return self._started().map(
            lambda shard: self._part(
                network, step, self.share.part(number, shard), shards[shard], contexts
            ),
            range(len(shards)),
        )

    def _started(self) -> ThreadPoolExecutor:
        if self._pool is None:
            count = min(self.share.shards, self.threads)
            inner = max(1, self.threads // count)
            self._pool = ThreadPoolExecutor(
                count, initializer=torch.set_num_threads, initargs=(inner,)
            )
        return self._pool

    def _part(self, network: str, step: int, part: int, batch: Batch, contexts: Contexts) -> Part:
        with self.processes.autocast(threads=self.share.shards):
            if part in contexts:
                context = contexts[part]
            else:
                context = self.method.prepare(batch.to(self.processes.device), step=step)
            loss = self.method.loss(network, context, step=step)
        if self.share.rounds * self.share.shards == 1:
            contexts[part] = context
        gradients = torch.autograd.grad(self.processes.scaled(loss.total), self.parameters[network])
        parts = {name: value.detach() for name, value in loss.parts.items()}
        return Part(Loss(loss.total.detach(), parts), list(gradients), len(batch))


def check_shards(method: Method, share: Share, device: torch.device) -> None:
    """Refuse shards where threads would change what is learned, or gain nothing.

    Raises
    ------
    ValueError
        Saying why, and what to set.
    """
    if share.shards == 1:
        return
    reasons = {
        f"run.device is {device.type}": device.type != "cpu",
        f"{share.processes} processes train together": share.processes > 1,
        f"method {method.recipe.method.kind} has {len(method.networks)} networks": len(
            method.networks
        )
        > 1,
        "the net takes statistics of a batch, which a shard does not see": _has(
            method, nn.modules.batchnorm._BatchNorm
        ),
        "net or method draws random numbers, and threads share one generator of them": (
            _has(method, nn.modules.dropout._DropoutNd)
            or bool(getattr(method.network, "noise_inputs", {}))
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            raise ValueError(
                f"optimiser.shards is {share.shards}, but {reason}: set optimiser.shards to 1 (and run.threads to "
                "the cores that a process may use)"
            )


def _has(method: Method, kind: type[nn.Module]) -> bool:
    return any(isinstance(m, kind) and getattr(m, "p", 1) > 0 for m in method.networks.modules())


def _laid_out(gradient: Tensor, parameter: Tensor) -> Tensor:
    """The gradient in the parameter's memory layout: fused optimisers on a CPU read both by address, not by index."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def _weighted(values: list[Tensor], weights: list[float]) -> Tensor:
    return torch.stack([v * w for v, w in zip(values, weights, strict=True)]).sum()
