"""What the sections of a recipe must agree on; each check raises a ValueError that says what to change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from surrogate_training.config.generative import (
    ConsistencyConfig,
    CRPSConfig,
    Generative,
    InterpolantConfig,
)
from surrogate_training.config.latent import VAEConfig
from surrogate_training.config.method import ClipConfig, Pix2PixConfig
from surrogate_training.config.model import AutoencoderConfig, UNetConfig

if TYPE_CHECKING:
    from surrogate_training.config.recipe import Recipe


def check_names(recipe: Recipe) -> None:
    """Fields are named once, features and augmentation speak of them, and one is predicted."""
    names = [f.name for f in recipe.data.fields]
    if len(set(names)) != len(names):
        raise ValueError(f"data.fields names a field twice: {names}")
    used = {f if isinstance(f, str) else f.curl for f in recipe.model.features}
    used |= recipe.data.augment.names
    if unknown := sorted(used - set(names)):
        raise ValueError(f"unknown field {unknown[0]!r}; data.fields has {', '.join(names)}")
    if not recipe.predicted:
        raise ValueError("data.fields has conditions only; at least one field must be predicted")


def check_potentials(recipe: Recipe) -> None:
    """A curl needs a linear scaling, and no bound."""
    scalings = {f.name: f.scaling for f in recipe.data.fields}
    for name in recipe.potentials:
        if scalings[name] != "linear":
            raise ValueError(
                f"field {name!r}: scaling {scalings[name]}, but model.features has its curl, which only a linear "
                "scaling keeps; set scaling: linear"
            )
        if isinstance(recipe.model, UNetConfig) and recipe.model.tanh:
            raise ValueError(
                f"model.tanh: true bounds values, but {name!r} is a potential: a constant may be added to it; set "
                "tanh: false"
            )


def check_generative_net(recipe: Recipe) -> None:
    """A net that is told the noise level, of fields that have a density."""
    if not isinstance(recipe.method, Generative):
        return
    if isinstance(recipe.model, UNetConfig):
        raise ValueError(
            f"method {recipe.method.kind} needs a net that knows the noise level, and model.kind: unet has no place "
            "for it; set model.kind: residual_unet or dit"
        )
    if recipe.potentials:
        raise ValueError(
            f"method {recipe.method.kind}: field {recipe.potentials[0]!r} is a potential, whose gauge makes a density "
            "of it meaningless; predict its curl as fields"
        )


def check_sampler(recipe: Recipe) -> None:
    """A sampler that suits the method, and no more evaluations than it was distilled on."""
    method, sampler = recipe.method, recipe.sampler
    if isinstance(method, InterpolantConfig | ConsistencyConfig) and sampler.kind != "auto":
        raise ValueError(
            f"sampler.kind: {sampler.kind}, but method {method.kind} has a sampler of its own: leave the key out"
        )
    if isinstance(method, ConsistencyConfig) and max(sampler.steps) > method.levels:
        raise ValueError(
            f"sampler.steps {sampler.steps}, but the model is distilled on method.levels {method.levels}: ask for no "
            "more steps than levels"
        )


def check_guidance(recipe: Recipe) -> None:
    """Guidance has a sampler's steps to act in, and a model that has learnt both estimates."""
    method, guidance = recipe.method, recipe.sampler.guidance
    if not isinstance(method, Generative):
        return
    if isinstance(method, CRPSConfig | ConsistencyConfig) and method.condition_dropout > 0:
        raise ValueError(
            "method.condition_dropout: guidance joins two estimates at every step of a sampler, and method "
            f"{method.kind} has no such steps; leave the key out"
        )
    if guidance > 0 and method.condition_dropout == 0:
        raise ValueError(
            f"sampler.guidance {guidance} needs a model that has also learnt to predict without condition: set "
            "method.condition_dropout, 0.1 say, or sampler.guidance: 0"
        )


def check_captions(recipe: Recipe) -> None:
    """Captions are there where they are needed, and only where they are read."""
    captions, method = recipe.data.captions, recipe.method
    if captions is None and (recipe.text.start or isinstance(method, ClipConfig)):
        what = "text.start" if recipe.text.start else f"method {method.kind}"
        raise ValueError(f"{what} needs captions: set data.captions")
    if isinstance(method, ClipConfig) and recipe.run.samples_every > 0:
        raise ValueError(
            f"run.samples_every {recipe.run.samples_every}: method clip predicts no frames to show; set it to 0"
        )
    if captions is not None and isinstance(method, Pix2PixConfig):
        raise ValueError(
            "method pix2pix: its discriminator does not read captions, so the generator need not heed them; remove "
            "data.captions, or take another method"
        )


def check_autoencoder(recipe: Recipe) -> None:
    """An autoencoder and method ``vae`` come together, and alone."""
    autoencodes = isinstance(recipe.model, AutoencoderConfig)
    if autoencodes != isinstance(recipe.method, VAEConfig):
        raise ValueError(
            f"model.kind: {recipe.model.kind} with method.kind: {recipe.method.kind}; an autoencoder is trained by "
            "method vae, and vae trains nothing else"
        )
    if autoencodes and (recipe.data.parameters or recipe.data.captions):
        raise ValueError(
            "method vae: an autoencoder sees a frame alone, without parameters or captions; leave them out of data"
        )


def check_latent_method(recipe: Recipe) -> None:
    """Latents have a run that makes them, and a method that draws them."""
    method, named = recipe.method, getattr(recipe.method, "autoencoder", "")
    if recipe.model.latents is None:
        if named:
            raise ValueError(
                f"method.autoencoder: {named}, but the net works on fields; give model.latents, the shape of that "
                "run's autoencoder"
            )
    elif method.kind in ("ddpm", "edm", "flow"):
        if not named:
            raise ValueError(
                "model.latents needs the autoencoder that makes them: set method.autoencoder to a run of method vae"
            )
    elif not isinstance(method, VAEConfig):
        raise ValueError(
            f"model.latents with method.kind: {method.kind}; latents are drawn by ddpm, edm or flow: choose one, or "
            "leave model.latents out"
        )


def check_latent_frames(recipe: Recipe) -> None:
    """Latents are of whole frames without a gauge or gaps."""
    if recipe.model.latents is None:
        return
    if recipe.model.target != "frame":
        raise ValueError(
            f"model.target: {recipe.model.target} with model.latents, which are latents of frames: set target: frame"
        )
    if recipe.potentials:
        raise ValueError(
            f"model.latents: field {recipe.potentials[0]!r} is a potential, whose gauge latents would depend on; "
            "predict its curl as fields"
        )
    if recipe.data.missing == "mask":
        raise ValueError(
            "model.latents: data.missing: mask; latents of cells without data are latents of their filler: take "
            "fields without gaps, or a model of fields"
        )


def check_shards(recipe: Recipe) -> None:
    """A batch falls into equal parts."""
    optimiser = recipe.optimiser
    if optimiser.batch % (optimiser.shards * optimiser.accumulate):
        raise ValueError(
            f"optimiser.batch ({optimiser.batch}) must be a multiple of optimiser.shards ({optimiser.shards}) times "
            f"optimiser.accumulate ({optimiser.accumulate})"
        )


CHECKS: tuple[Callable[[Recipe], None], ...] = (
    check_names,
    check_potentials,
    check_generative_net,
    check_sampler,
    check_guidance,
    check_captions,
    check_autoencoder,
    check_latent_method,
    check_latent_frames,
    check_shards,
)
"""In the order in which they are made."""
