"""The sections of a recipe: frozen, validated data, one file a section."""

from surrogate_training.config.data import (
    Augment,
    Data,
    FieldSpec,
    Generate,
    PairLists,
    ParameterSpec,
    Split,
)
from surrogate_training.config.dit import DiTConfig
from surrogate_training.config.evaluation import Evaluation
from surrogate_training.config.method import (
    Discriminator,
    Method,
    Pix2PixConfig,
    RegressionConfig,
    TemplateConfig,
    Unroll,
)
from surrogate_training.config.model import Model, ResidualUNetConfig, UNetConfig
from surrogate_training.config.net import Curl, Feature
from surrogate_training.config.optimiser import EarlyStopping, Optimiser
from surrogate_training.config.recipe import Recipe
from surrogate_training.config.run import Physics, Run
from surrogate_training.config.section import Boundary, Location, Section

__all__ = [
    "Augment",
    "Boundary",
    "Curl",
    "Data",
    "DiTConfig",
    "Discriminator",
    "EarlyStopping",
    "Evaluation",
    "Feature",
    "FieldSpec",
    "Generate",
    "Location",
    "Method",
    "Model",
    "Optimiser",
    "PairLists",
    "ParameterSpec",
    "Physics",
    "Pix2PixConfig",
    "Recipe",
    "RegressionConfig",
    "ResidualUNetConfig",
    "Run",
    "Section",
    "Split",
    "TemplateConfig",
    "UNetConfig",
    "Unroll",
]
