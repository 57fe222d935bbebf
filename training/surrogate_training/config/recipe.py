"""A recipe: one training run, complete."""

from __future__ import annotations

from pydantic import Field, model_validator

from surrogate_training.config.captions import TextConfig
from surrogate_training.config.data import Data, FieldSpec
from surrogate_training.config.evaluation import Evaluation
from surrogate_training.config.generative import (
    ConsistencyConfig,
    CRPSConfig,
    Generative,
    InterpolantConfig,
)
from surrogate_training.config.latent import VAEConfig
from surrogate_training.config.method import ClipConfig, Method, Pix2PixConfig, RegressionConfig
from surrogate_training.config.model import AutoencoderConfig, Model, ResidualUNetConfig, UNetConfig
from surrogate_training.config.net import Curl
from surrogate_training.config.optimiser import Optimiser
from surrogate_training.config.run import Physics, Run
from surrogate_training.config.sampler import Sampler
from surrogate_training.config.section import Section


class Recipe(Section):
    """One training run, complete."""

    name: str
    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: Data
    model: Model = ResidualUNetConfig()
    method: Method = RegressionConfig()
    sampler: Sampler = Sampler()
    text: TextConfig = TextConfig()
    optimiser: Optimiser
    run: Run = Run()
    physics: Physics = Physics()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _names(self) -> Recipe:
        names = [f.name for f in self.data.fields]
        if len(set(names)) != len(names):
            raise ValueError(f"data.fields names a field twice: {names}")
        used = {f if isinstance(f, str) else f.curl for f in self.model.features}
        used |= self.data.augment.names
        if unknown := sorted(used - set(names)):
            raise ValueError(f"unknown field {unknown[0]!r}; data.fields has {', '.join(names)}")
        if not self.predicted:
            raise ValueError(
                "data.fields has conditions only; at least one field must be predicted"
            )
        return self

    @model_validator(mode="after")
    def _potentials_are_linear(self) -> Recipe:
        scalings = {f.name: f.scaling for f in self.data.fields}
        for name in self.potentials:
            if scalings[name] != "linear":
                raise ValueError(
                    f"field {name!r}: scaling {scalings[name]}, but model.features has its curl, which only a linear "
                    "scaling keeps; set scaling: linear"
                )
            if isinstance(self.model, UNetConfig) and self.model.tanh:
                raise ValueError(
                    f"model.tanh: true bounds values, but {name!r} is a potential: a constant may be added to it; set "
                    "tanh: false"
                )
        return self

    @model_validator(mode="after")
    def _generative(self) -> Recipe:
        if not isinstance(self.method, Generative):
            return self
        if isinstance(self.model, UNetConfig):
            raise ValueError(
                f"method {self.method.kind} needs a net that knows the noise level, and model.kind: unet has no place "
                "for it; set model.kind: residual_unet or dit"
            )
        if self.potentials:
            raise ValueError(
                f"method {self.method.kind}: field {self.potentials[0]!r} is a potential, whose gauge makes a density "
                "of it meaningless; predict its curl as fields"
            )
        own = isinstance(self.method, InterpolantConfig | ConsistencyConfig)
        if own and self.sampler.kind != "auto":
            raise ValueError(
                f"sampler.kind: {self.sampler.kind}, but method {self.method.kind} has a sampler of its own: leave the "
                "key out"
            )
        if (
            isinstance(self.method, ConsistencyConfig)
            and max(self.sampler.steps) > self.method.levels
        ):
            raise ValueError(
                f"sampler.steps {self.sampler.steps}, but the model is distilled on method.levels "
                f"{self.method.levels}: ask for no more steps than levels"
            )
        once = isinstance(self.method, CRPSConfig | ConsistencyConfig)
        if once and self.method.condition_dropout > 0:
            raise ValueError(
                "method.condition_dropout: guidance joins two estimates at every step of a sampler, and method "
                f"{self.method.kind} has no such steps; leave the key out"
            )
        if self.sampler.guidance > 0 and self.method.condition_dropout == 0:
            raise ValueError(
                f"sampler.guidance {self.sampler.guidance} needs a model that has also learnt to predict without "
                "condition: set method.condition_dropout, 0.1 say, or sampler.guidance: 0"
            )
        return self

    @model_validator(mode="after")
    def _captions(self) -> Recipe:
        if self.data.captions is None and (self.text.start or isinstance(self.method, ClipConfig)):
            what = "text.start" if self.text.start else f"method {self.method.kind}"
            raise ValueError(f"{what} needs captions: set data.captions")
        if isinstance(self.method, ClipConfig) and self.run.samples_every > 0:
            raise ValueError(
                f"run.samples_every {self.run.samples_every}: method clip predicts no frames to show; set it to 0"
            )
        if self.data.captions is not None and isinstance(self.method, Pix2PixConfig):
            raise ValueError(
                "method pix2pix: its discriminator does not read captions, so the generator need not heed them; remove "
                "data.captions, or take another method"
            )
        return self

    @model_validator(mode="after")
    def _autoencoder_alone(self) -> Recipe:
        autoencodes = isinstance(self.model, AutoencoderConfig)
        if autoencodes != isinstance(self.method, VAEConfig):
            raise ValueError(
                f"model.kind: {self.model.kind} with method.kind: {self.method.kind}; an autoencoder is trained by "
                "method vae, and vae trains nothing else"
            )
        if autoencodes and (self.data.parameters or self.data.captions):
            raise ValueError(
                "method vae: an autoencoder sees a frame alone, without parameters or captions; leave them out of data"
            )
        return self

    @model_validator(mode="after")
    def _latents(self) -> Recipe:
        """What a model of latents must be, and a model of fields must not say."""
        named = getattr(self.method, "autoencoder", "")
        if self.model.latents is None:
            if named:
                raise ValueError(
                    f"method.autoencoder: {named}, but the net works on fields; give model.latents, the shape of that "
                    "run's autoencoder"
                )
            return self
        if self.method.kind in ("ddpm", "edm", "flow"):
            if not named:
                raise ValueError(
                    "model.latents needs the autoencoder that makes them: set method.autoencoder to a run of method vae"
                )
        elif not isinstance(self.method, VAEConfig):
            raise ValueError(
                f"model.latents with method.kind: {self.method.kind}; latents are drawn by ddpm, edm or flow: choose "
                "one, or leave model.latents out"
            )
        if self.model.target != "frame":
            raise ValueError(
                f"model.target: {self.model.target} with model.latents, which are latents of frames: set target: frame"
            )
        if self.potentials:
            raise ValueError(
                f"model.latents: field {self.potentials[0]!r} is a potential, whose gauge latents would depend on; "
                "predict its curl as fields"
            )
        if self.data.missing == "mask":
            raise ValueError(
                "model.latents: data.missing: mask; latents of cells without data are latents of their filler: take "
                "fields without gaps, or a model of fields"
            )
        return self

    @model_validator(mode="after")
    def _shards(self) -> Recipe:
        if self.optimiser.batch % (self.optimiser.shards * self.optimiser.accumulate):
            raise ValueError(
                f"optimiser.batch ({self.optimiser.batch}) must be a multiple of optimiser.shards "
                f"({self.optimiser.shards}) times optimiser.accumulate ({self.optimiser.accumulate})"
            )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields, in the order of the program's input channels."""
        return tuple(f.name for f in self.data.fields)

    @property
    def predicted(self) -> tuple[FieldSpec, ...]:
        """Fields that are predicted, in the order of the program's output channels."""
        return tuple(f for f in self.data.fields if not f.condition)

    @property
    def predicted_channels(self) -> tuple[int, ...]:
        """Where they stand among the fields."""
        return tuple(c for c, f in enumerate(self.data.fields) if not f.condition)

    @property
    def potentials(self) -> tuple[str, ...]:
        """Fields that the model sees only through their curl."""
        return tuple(f.curl for f in self.model.features if isinstance(f, Curl))

    @property
    def unroll(self) -> int:
        """Largest number of jumps that a training sample spans."""
        return self.method.unroll.jumps if isinstance(self.method, RegressionConfig) else 1
