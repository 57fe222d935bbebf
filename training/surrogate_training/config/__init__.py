"""The sections of a recipe: frozen, validated data, one file a section."""

from surrogate_training.config.captions import Captions, Phrase, TextConfig
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
from surrogate_training.config.generative import (
    ConsistencyConfig,
    CRPSConfig,
    DDPMConfig,
    EDMConfig,
    FlowConfig,
    Generative,
    InterpolantConfig,
    ResidualEDMConfig,
)
from surrogate_training.config.latent import Latents, VAEConfig
from surrogate_training.config.method import (
    ClipConfig,
    Discriminator,
    Method,
    Pix2PixConfig,
    RegressionConfig,
    TemplateConfig,
    Unroll,
)
from surrogate_training.config.model import (
    AutoencoderConfig,
    Model,
    ResidualUNetConfig,
    UNetConfig,
)
from surrogate_training.config.net import Curl, Feature, NetConfig
from surrogate_training.config.optimiser import EarlyStopping, Optimiser
from surrogate_training.config.recipe import Recipe
from surrogate_training.config.run import Physics, Run
from surrogate_training.config.sampler import Sampler
from surrogate_training.config.section import Boundary, Location, Section

__all__ = [
    "Augment",
    "AutoencoderConfig",
    "Boundary",
    "CRPSConfig",
    "Captions",
    "ClipConfig",
    "ConsistencyConfig",
    "Curl",
    "DDPMConfig",
    "Data",
    "DiTConfig",
    "Discriminator",
    "EDMConfig",
    "EarlyStopping",
    "Evaluation",
    "Feature",
    "FieldSpec",
    "FlowConfig",
    "Generate",
    "Generative",
    "InterpolantConfig",
    "Latents",
    "Location",
    "Method",
    "Model",
    "NetConfig",
    "Optimiser",
    "PairLists",
    "ParameterSpec",
    "Phrase",
    "Physics",
    "Pix2PixConfig",
    "Recipe",
    "RegressionConfig",
    "ResidualEDMConfig",
    "ResidualUNetConfig",
    "Run",
    "Sampler",
    "Section",
    "Split",
    "TemplateConfig",
    "TextConfig",
    "UNetConfig",
    "Unroll",
    "VAEConfig",
]
