"""The averaged generator: what is validated and exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    """Exponential moving average of a network, warmed up so that early steps are forgotten.

    Running statistics of norms are averaged like the parameters, so that they stay those of the same stretch of
    training; whole numbers (how many batches a norm has seen) are copied.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Blend in the network as it is after ``step`` (0, 1, …)."""
        blend = get_ema_multi_avg_fn(min(self.decay, (1 + step) / (10 + step)))  # type: ignore[no-untyped-call]
        kept: list[Tensor] = []
        present: list[Tensor] = []
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                kept.append(self.values[name])
                present.append(value)
            else:
                self.values[name].copy_(value)
        blend(kept, present, None)
