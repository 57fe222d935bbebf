"""A run of method ``clip`` on a part of its data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from surrogate.whole import write_json
from surrogate_training.config import ClipConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.runfolder import RunFolder, open_run
from surrogate_training.text.matcher import Matcher
from surrogate_training.text.retrieval import joined, retrieval

BATCH = 64
"""Pairs that are encoded at a time."""


def clip_run(path: Path) -> RunFolder | None:
    """The run folder at `path`, or None if it is none of method ``clip``."""
    try:
        run = open_run(path)
    except FileNotFoundError:
        return None
    return run if isinstance(run.recipe().method, ClipConfig) else None


@torch.no_grad()
def evaluate_retrieval(run: RunFolder, *, root: Path, part: str = "test") -> dict[str, object]:
    """Accuracy over all pairs of a part, and over those whose captions training has not seen, if there are some.

    Of the part ``test`` it is written to the run's ``evaluation.json``.

    Returns
    -------
    dict
        ``step``, ``part``, ``pairs``, the numbers of :func:`.retrieval`, and as ``new`` the same of pairs with new
        captions, looked for among all captions of the part.

    Raises
    ------
    ValueError
        If there is no such part, it is empty, or the run is of another method.
    """
    network, step = run.network()
    recipe = run.recipe()
    if not isinstance(network, Matcher):
        raise ValueError(f"{run.path} is a run of method {recipe.method.kind}, expected clip")
    sets = open_sets(recipe.data, root=root)
    if part not in sets or not len(sets[part]):
        raise ValueError(
            f"part {part!r}: expected one of {', '.join(n for n, s in sets.items() if len(s))}"
        )
    pairs = sets[part]
    found = joined(network.encoded(batch) for batch in _batches(pairs))
    result: dict[str, object] = {
        "step": step,
        "part": part,
        "pairs": len(pairs),
        **retrieval(found.text, found.field, found.tokens),
    }
    known = sets["train"].captions
    new = torch.tensor([pairs.caption(index) not in known for index in range(len(pairs))])
    if new.any():
        result["new"] = retrieval(found.text, found.field, found.tokens, counted=new)
    if part == "test":
        write_json(run.evaluation_file, result)
    return result


def _batches(pairs: PairSet) -> Iterator[Batch]:
    for start in range(0, len(pairs), BATCH):
        indices = range(start, min(start + BATCH, len(pairs)))
        frames = np.stack([pairs.pair(index) for index in indices], axis=1)  # (2, B, C, ny, nx)
        given = [pairs.parameters(index) for index in indices]
        parameters = np.stack([values for values in given if values is not None])  # (B, Q)
        yield Batch(torch.from_numpy(frames), torch.from_numpy(parameters))
