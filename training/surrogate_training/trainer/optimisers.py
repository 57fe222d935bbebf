"""Optimisers of a recipe, one a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surrogate_training.config import Optimiser

KINDS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def make_optimiser(network: nn.Module, config: Optimiser, *, rate: float) -> torch.optim.Optimizer:
    """Adam or AdamW; only weights of convolutions decay, not biases and norms."""
    decayed: list[Tensor] = [p for p in network.parameters() if p.ndim == 4]
    free: list[Tensor] = [p for p in network.parameters() if p.ndim != 4]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return KINDS[config.kind](groups, lr=rate, betas=config.betas, fused=True)  # type: ignore[call-arg]
