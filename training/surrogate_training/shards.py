"""Gradients of a batch from shards that run side by side, one thread each.

Threads inside operators meet at a barrier hundreds of times a step, which is slow where other programs use the
same cores; shards meet once. Gradients are added in the order of the shards, so a result depends on the
number of shards (a key of the recipe), not on the number of threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.data.batches import BatchSource
from surrogate_training.methods.method import Loss, Method


class Shards:
    """Computes ``.grad`` of a model's parameters for a training step."""

    def __init__(
        self,
        method: Method,
        network: str,
        batches: BatchSource,
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        self.method, self.network, self.batches, self.device = method, network, batches, device
        self.parameters = list(method.networks[network].parameters())
        self.count = min(recipe.optimiser.shards, batches.batch)
        self.low_precision = recipe.optimiser.precision == "bf16"
        workers = min(self.count, recipe.run.threads)
        threads = max(1, recipe.run.threads // workers)
        self.pool = ThreadPoolExecutor(
            workers, initializer=torch.set_num_threads, initargs=(threads,)
        )

    def gradients(self, step: int) -> Loss:
        """Set the gradients of step ``step`` and return its loss (detached)."""
        done = list(self.pool.map(lambda shard: self._shard(step, shard), range(self.count)))
        weights = [size / self.batches.batch for _, _, size in done]
        for n, parameter in enumerate(self.parameters):
            parts = [gradients[n] * w for (_, gradients, _), w in zip(done, weights, strict=True)]
            parameter.grad = sum(parts[1:], start=parts[0])
        losses = [loss for loss, _, _ in done]
        return Loss(
            _mean([loss.total for loss in losses], weights),
            {k: _mean([loss.parts[k] for loss in losses], weights) for k in losses[0].parts},
        )

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()

    def _shard(self, step: int, shard: int) -> tuple[Loss, tuple[Tensor, ...], int]:
        batch = self.batches.step(step, shard=shard, shards=self.count)
        batch = batch.to(self.device)
        # the cache of cast weights is shared by all threads, so it is switched off
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.low_precision, cache_enabled=False
        ):
            context = self.method.prepare(batch, step=step)
            loss = self.method.loss(self.network, context, step=step)
        gradients = torch.autograd.grad(loss.total, self.parameters)
        parts = {name: part.detach() for name, part in loss.parts.items()}
        return Loss(loss.total.detach(), parts), gradients, len(batch)


def _mean(values: list[Tensor], weights: list[float]) -> Tensor:
    return torch.stack([v * w for v, w in zip(values, weights, strict=True)]).sum()
