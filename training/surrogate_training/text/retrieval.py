"""How often the right caption is found for a field, and a right field for a caption."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import torch
from torch import Tensor

from surrogate_training.text.matcher import Matched

RANKS = (1, 5)


def retrieval(
    text: Tensor, field: Tensor, tokens: Tensor, *, counted: Tensor | None = None
) -> dict[str, float]:
    """Accuracy of retrieval by cosine, over pairs of which several may share a caption.

    A field's caption is looked for among the distinct captions of the set; a caption's field among all fields, any with
    that caption being right.

    Parameters
    ----------
    text, field : Tensor, shape (N, E)
        Unit vectors; row n of both is of pair n.
    tokens : Tensor, shape (N, L)
        By which captions are equal.
    counted : Tensor, shape (N,), bool, optional
        Pairs and captions that are asked for, among all; None: every one.

    Returns
    -------
    dict of str to float
        ``caption_top1``, ``caption_top5``, ``field_top1``, ``field_top5``, and what chance finds: ``caption_chance1``,
        the reciprocal of how many captions there are.
    """
    distinct, which = torch.unique(tokens, dim=0, return_inverse=True)  # (M, L), (N,)
    first = torch.stack([(which == m).nonzero()[0, 0] for m in range(len(distinct))])
    similarity = field @ text[first].T  # (N, M)
    right = which[:, None] == torch.arange(len(distinct), device=which.device)  # (N, M)
    asked = torch.ones_like(which, dtype=torch.bool) if counted is None else counted  # (N,)
    found = {}
    for rank in RANKS:
        found[f"caption_top{rank}"] = _hits(similarity[asked], right[asked], rank)
        found[f"field_top{rank}"] = _hits(similarity.T[asked[first]], right.T[asked[first]], rank)
    return {**dict(sorted(found.items())), "caption_chance1": 1 / len(distinct)}


def joined(encoded: Iterable[Matched]) -> Matched:
    """Several batches as one."""
    every = list(encoded)
    return Matched(*(torch.cat([getattr(one, f.name) for one in every]) for f in fields(Matched)))


def _hits(similarity: Tensor, right: Tensor, rank: int) -> float:
    """Share of the rows with a right answer among their `rank` most similar columns."""
    best = similarity.topk(min(rank, similarity.shape[1]), dim=1).indices
    return float(right.gather(1, best).any(1).double().mean())
