"""Caption and scalar parameters as one vector that modulates a net."""

from __future__ import annotations

from torch import Tensor, nn

from surrogate_training.config import Captions, Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.film import EMBEDDING, ParameterEmbedding
from surrogate_training.text.encoder import TextEncoder


class CaptionEmbedding(nn.Module):
    """Scalar parameters and token ids (B, P + L) → (B, EMBEDDING): the sum of both; no caption adds nothing.

    Parameters
    ----------
    recipe, statistics
        Of the training.
    captions : Captions
        The recipe's.

    Attributes
    ----------
    text : TextEncoder
        What a run of method ``clip`` may have trained before.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics, captions: Captions) -> None:
        super().__init__()
        self.length = captions.length
        self.scalars = ParameterEmbedding(recipe, statistics) if recipe.data.parameters else None
        self.text = TextEncoder(captions.text, recipe.text)
        if recipe.text.frozen:
            self.text.requires_grad_(False)
        self.exit = nn.Linear(recipe.text.width, EMBEDDING, bias=False)

    def forward(self, parameters: Tensor) -> Tensor:
        """(B, P + L) → (B, EMBEDDING)."""
        said: Tensor = self.exit(self.text(parameters[:, -self.length :]))
        if self.scalars is None:
            return said
        return said + self.scalars(parameters[:, : -self.length])  # type: ignore[no-any-return]


def make_embedding(
    recipe: Recipe, statistics: Statistics
) -> ParameterEmbedding | CaptionEmbedding | None:
    """What a recipe's generator is modulated by, besides a noise level; None: nothing."""
    if recipe.data.captions is not None:
        return CaptionEmbedding(recipe, statistics, recipe.data.captions)
    return ParameterEmbedding(recipe, statistics) if recipe.data.parameters else None
