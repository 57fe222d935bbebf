"""The loss that brings matching captions and fields together (Radford et al. 2021, arXiv:2103.00020, figure 3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

LARGEST_SCALE = math.log(100.0)
"""Of the logarithm of 1 / temperature, as in section 2.5 there."""


def contrastive_loss(text: Tensor, field: Tensor, log_scale: Tensor, tokens: Tensor) -> Tensor:
    """Cross entropy of finding a field's caption among a batch's, and of finding a caption's field: their mean.

    Several samples of a batch may have one and the same caption: each of them is then as right an answer, so that the
    target is spread over them (Yang et al. 2022, arXiv:2204.03610, eq. 2). With captions that differ it is CLIP's.

    Parameters
    ----------
    text, field : Tensor, shape (B, E)
        Unit vectors; row n of both is of sample n.
    log_scale : Tensor, shape ()
        Logarithm of 1 / temperature.
    tokens : Tensor, shape (B, L)
        By which captions are equal.

    Returns
    -------
    Tensor, shape ()
    """
    logits = log_scale.clamp(max=LARGEST_SCALE).exp() * field @ text.T  # (B fields, B captions)
    same = (tokens[:, None] == tokens[None, :]).all(-1).to(logits.dtype)  # (B, B), symmetric
    target = same / same.sum(1, keepdim=True)
    return (
        functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    ) / 2


def unit(x: Tensor) -> Tensor:
    """(B, E) → vectors of length one, in float32."""
    return functional.normalize(torch.as_tensor(x).float(), dim=-1)
