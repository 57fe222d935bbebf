"""Predictions over several jumps, each from the one before (Brandstetter, Worrall & Welling 2022, arXiv:2202.03376)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from surrogate_training.data.batches import Batch
from surrogate_training.methods.method import Method


@dataclass(frozen=True)
class Jump:
    """One predicted frame beside the true one.

    Attributes
    ----------
    predicted, truth : Tensor, shape (B, P, ny, nx)
        In physical units.
    weight : Tensor, shape (B, 1, ny, nx), optional
        0 where there is no truth; None: everywhere.
    """

    predicted: Tensor
    truth: Tensor
    weight: Tensor | None = None


def unroll(method: Method, batch: Batch, *, jumps: int, push_forward: bool) -> list[Jump]:
    """Roll a method's generator over a batch's frames.

    Each jump starts from the fields that the one before has predicted; the conditions, and cells without truth, are
    those of the batch's own frame.

    Parameters
    ----------
    method : Method
        Its generator predicts.
    batch : Batch
        With ``jumps + 1`` frames or more.
    jumps : int
        How many to make.
    push_forward : bool
        Return the last jump alone, and let no gradient into those before: the net learns to start from its own errors
        but not to make them convenient for itself. Otherwise all jumps, with the whole graph.

    Raises
    ------
    ValueError
        If the batch has too few frames.
    """
    if len(batch.frames) <= jumps:
        raise ValueError(
            f"{jumps} jumps need {jumps + 1} frames a sample, the batch has {len(batch.frames)}: its source must "
            "take recipe.unroll + 1"
        )
    state, made = batch.u1, []
    for n in range(1, jumps + 1):
        counts = n == jumps or not push_forward
        with torch.set_grad_enabled(counts and torch.is_grad_enabled()):
            y = method.generator(*method.inputs(batch, state)).float()  # (B, P, ny, nx)
            frame = method.scaling.frame(state, y)
        if counts:
            made.append(Jump(frame, method.scaling.predicted(batch.frames[n]), batch.weight))
        if n < jumps:
            truth = batch.frames[n]
            if batch.weight is not None:
                frame = torch.where(batch.weight > 0, frame, method.scaling.predicted(truth))
            state = method.scaling.state(truth, frame)  # (B, C, ny, nx)
    return made
