"""Methods by name."""

from __future__ import annotations

from torch import nn

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.clip import Clip
from surrogate_training.methods.consistency import Consistency
from surrogate_training.methods.crps import CRPS
from surrogate_training.methods.denoising import Denoising
from surrogate_training.methods.interpolant import Interpolating
from surrogate_training.methods.method import Method
from surrogate_training.methods.pix2pix import Pix2Pix
from surrogate_training.methods.regression import Regression
from surrogate_training.methods.residual import ResidualDenoising
from surrogate_training.methods.template import Template
from surrogate_training.methods.vae import VAE
from surrogate_training.models.fields import FieldModel

METHODS: dict[str, type[Method]] = {
    "regression": Regression,
    "pix2pix": Pix2Pix,
    "template": Template,
    "ddpm": Denoising,
    "edm": Denoising,
    "flow": Denoising,
    "interpolant": Interpolating,
    "residual-edm": ResidualDenoising,
    "crps": CRPS,
    "consistency": Consistency,
    "clip": Clip,
    "vae": VAE,
}
"""By the recipe's ``method.kind``."""


def make_method(recipe: Recipe, statistics: Statistics) -> Method:
    """The method of a recipe, with freshly initialised networks."""
    return METHODS[recipe.method.kind](recipe, statistics)


def make_generator(recipe: Recipe, statistics: Statistics) -> FieldModel:
    """The generator of a recipe's method, freshly initialised."""
    return METHODS[recipe.method.kind].make_generator(recipe, statistics)


def make_network(recipe: Recipe, statistics: Statistics) -> nn.Module:
    """The network of a recipe's method that is averaged, freshly initialised: of most methods the generator."""
    return METHODS[recipe.method.kind].make_network(recipe, statistics)
