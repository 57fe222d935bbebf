"""Methods by name."""

from __future__ import annotations

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Method
from surrogate_training.methods.pix2pix import Pix2Pix
from surrogate_training.methods.regression import Regression
from surrogate_training.methods.template import Template

METHODS: dict[str, type[Method]] = {
    "regression": Regression,
    "pix2pix": Pix2Pix,
    "template": Template,
}
"""By the recipe's ``method.kind``."""


def make_method(recipe: Recipe, statistics: Statistics) -> Method:
    """The method of a recipe, with freshly initialised networks."""
    return METHODS[recipe.method.kind](recipe, statistics)
