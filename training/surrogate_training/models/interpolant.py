"""The generator of ``interpolant``: what is drawn is how far w lies from the frame at t1."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.models.generative import GenerativeModel


class InterpolantModel(GenerativeModel):
    """w = w1 + d, with d drawn from 0 on; w1 is 0 where the increment is predicted."""

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        d = super()._outputs(x, more)
        return self._begin(x) + d if self.output.of_frame else d

    def _begin(self, x: Tensor) -> Tensor:
        """The frame at t1 as a net would have to return it, (B, P, ny, nx)."""
        channels = zip(self.output.channels, self.output.units, strict=True)
        return torch.cat([units.seen(x[:, c : c + 1]) for c, units in channels], 1)
