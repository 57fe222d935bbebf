"""The generator of method ``vae``: the state's own fields through an autoencoder."""

from __future__ import annotations

from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.models.autoencoder import Autoencoder
from surrogate_training.models.fields import FieldModel


class Reconstruction(FieldModel):
    """A :class:`FieldModel` that returns the frame it is given, as well as its latents can hold it."""

    net: Autoencoder

    def net_channels(self, recipe: Recipe) -> tuple[int, int]:
        """The predicted fields, in and out."""
        return len(recipe.predicted), len(recipe.predicted)

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        return self.net(self.output.seen(x))  # type: ignore[no-any-return]
