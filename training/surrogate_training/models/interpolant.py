"""The generator of ``interpolant``: what is drawn is how far w lies from the frame at t1."""

from __future__ import annotations

from torch import Tensor

from surrogate_training.models.generative import GenerativeModel


class InterpolantModel(GenerativeModel):
    """w = w1 + d, with d drawn from 0 on; w1 is 0 where the increment is predicted."""

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        d = super()._outputs(x, more)
        return self.output.seen(x) + d if self.output.of_frame else d
