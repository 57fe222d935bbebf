"""When the loss stops being finite: the batch is kept, and the error says where and what to try."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from surrogate_training import checkpoint
from surrogate_training.data.prefetch import Rounds
from surrogate_training.trainer.phases import NotFiniteError


class DivergedError(RuntimeError):
    """The loss stopped being finite; the last checkpoint is as it was."""


def keep_batch(
    path: Path, error: NotFiniteError, rounds: Rounds, names: list[str], *, step: int
) -> DivergedError:
    """Save the batch of a step that went wrong, and return the error to raise.

    Parameters
    ----------
    path : Path
        File to write, read back by ``torch.load(path, weights_only=True)``: step, network, loss, norm, names, and
        the fields of a :class:`Batch` (frames, parameters, weight), joined over the parts.
    error : NotFiniteError
        What happened.
    rounds : list of list of Batch
        This process's part of the batch.
    names : list of str
        File and frame of each sample.
    step : int
        Number of the training step.
    """
    batches = [batch for shards in rounds for batch in shards]
    frames = torch.cat([batch.frames for batch in batches], dim=1)  # (K + 1, B, C, ny, nx)
    tree = {
        "step": step,
        "network": error.network,
        "loss": error.loss,
        "norm": error.norm,
        "names": names,
        "frames": frames,
        "parameters": _joined([batch.parameters for batch in batches]),
        "weight": _joined([batch.weight for batch in batches]),
    }
    try:
        checkpoint.write(tree, path)
        kept = f"its batch is kept in {path}"
    except checkpoint.CheckpointError as failure:
        kept = f"its batch is lost ({failure})"
    finite = frames.isfinite().all(-1).all(-1).all(-1).all(0)  # (B,)
    wrong = [name for name, good in zip(names, finite.tolist(), strict=True) if not good]
    advice = (
        f"the data itself is not finite: {', '.join(wrong)}; make these files again"
        if wrong
        else "lower optimiser.learning_rate, lengthen optimiser.warmup, or look at the batch: "
        + ", ".join(names)
    )
    return DivergedError(
        f"step {step}: {error} ({error.network}); training stopped and the last checkpoint is kept, "
        f"{kept}. What to try: {advice}"
    )


def _joined(tensors: list[Tensor | None]) -> Tensor | None:
    there = [t for t in tensors if t is not None]
    return torch.cat(there) if there else None
