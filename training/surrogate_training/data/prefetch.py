"""Batches ahead of the step that needs them, from worker processes where a recipe asks for some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from surrogate_training.data.batches import Batch, BatchSource

Rounds = list[list[Batch]]
"""What a process works on in a step: rounds one after the other, each of shards side by side."""


@dataclass(frozen=True)
class Share:
    """The part of every batch that one process works on.

    Sample n of a batch belongs to part ``n % parts``; parts count shards first, then rounds, then processes.
    """

    process: int = 0
    processes: int = 1
    rounds: int = 1
    shards: int = 1

    @property
    def parts(self) -> int:
        """Parts that a batch is divided into, over all processes."""
        return self.processes * self.rounds * self.shards

    def part(self, round_: int, shard: int) -> int:
        """Number of a part of this process."""
        return (self.process * self.rounds + round_) * self.shards + shard

    def rounds_of(self, source: BatchSource, step: int) -> Rounds:
        """What the process works on in a step."""
        return [
            [
                source.step(step, shard=self.part(r, s), shards=self.parts)
                for s in range(self.shards)
            ]
            for r in range(self.rounds)
        ]

    def names_of(self, source: BatchSource, step: int) -> list[str]:
        """File and frame of each sample of :meth:`rounds_of`, in its order."""
        return [
            name
            for r in range(self.rounds)
            for s in range(self.shards)
            for name in source.names(step, shard=self.part(r, s), shards=self.parts)
        ]


class _Steps(Dataset[Rounds | Exception]):
    """Steps of a source as torch's loader takes them: a pure function of the step, whatever worker runs it."""

    def __init__(self, source: BatchSource, share: Share) -> None:
        self.source, self.share = source, share

    def __getitem__(self, step: int) -> Rounds | Exception:
        try:
            return self.share.rounds_of(self.source, step)
        except (ValueError, OSError) as error:
            return (
                error  # raised by who asks: the loader would wrap its text in a worker's traceback
            )


def prefetch(
    source: BatchSource, steps: range, share: Share, *, workers: int, pinned: bool
) -> Iterator[Rounds]:
    """The batches of ``steps``, in order; the same for any number of workers.

    Parameters
    ----------
    source : BatchSource
        Makes them.
    steps : range
        Numbers of training steps.
    share : Share
        Which part of each.
    workers : int
        Processes that prepare batches, two each ahead; 0: the caller's, when asked.
    pinned : bool
        Whether to put them into page-locked memory, which a GPU copies from without waiting.
    """
    loader = DataLoader(
        _Steps(source, share),
        batch_size=None,  # an item is a whole batch
        sampler=steps,
        num_workers=workers,
        pin_memory=pinned,
        generator=torch.Generator(),  # the loader draws a seed for its workers, not from the global one
    )
    for found in loader:
        if isinstance(found, Exception):
            raise found
        yield found
