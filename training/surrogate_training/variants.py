"""The programs that a model is exported as: the model itself, or a generative one with several numbers of steps."""

from __future__ import annotations

from dataclasses import dataclass

from surrogate_training.config import Recipe
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import GenerativeModel


@dataclass(frozen=True)
class Variant:
    """One of them.

    Attributes
    ----------
    model : FieldModel
        Whose ``forward`` is the program.
    steps : int, optional
        Evaluations of the net; None: the model has no sampler.
    """

    model: FieldModel
    steps: int | None = None

    @property
    def suffix(self) -> str:
        """What tells its programs from the other variants'."""
        return "" if self.steps is None else f"_{self.steps}"

    @property
    def portable_file(self) -> str:
        """Of its torch.export program."""
        return f"programs/portable{self.suffix}.pt2"

    @property
    def method(self) -> str:
        """Of the TorchScript file, which all variants share; "": ``forward``."""
        return "" if self.steps is None else f"steps_{self.steps}"


def variants_of(model: FieldModel, recipe: Recipe) -> tuple[Variant, ...]:
    """All of a model, the sampler's preset first; they share the weights."""
    if not isinstance(model, GenerativeModel):
        return (Variant(model),)
    preset = recipe.sampler.preset
    in_order = sorted(recipe.sampler.steps, key=lambda steps: (steps != preset, steps))
    return tuple(Variant(model.variant(steps), steps) for steps in in_order)
