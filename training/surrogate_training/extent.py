"""How far a trained model sees, whatever its kind."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.locality import Locality, measure_locality
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import columns


def model_locality(model: FieldModel, recipe: Recipe) -> Locality:
    """Of all programs of a model.

    Measured by NaN propagation, except of a net that sees whole frames by its making, whatever its norms. Of a sampler
    one evaluation is measured: how far its draw depends on the state (r) and on the noise (s), so on x_t. A sampler of
    K evaluations may depend on r + (K - 1) s cells: x_t carries to each what the one before saw. This is a bound, which
    one that rounds up to blocks of a coarser level may stay below; a measurement would need grids four times as wide.

    Parameters
    ----------
    model : FieldModel
        In eval mode.
    recipe : Recipe
        Of the training.

    Returns
    -------
    Locality
        For generative models with the largest of ``sampler.steps``.
    """
    multiple = recipe.model.multiple
    if recipe.model.whole_frames:
        return Locality.whole(multiple)
    one = model.variant(1) if isinstance(model, GenerativeModel) else model
    given = [torch.ones(1, n)] if (n := columns(recipe)) else []
    channels = len(recipe.data.fields)

    def of_state(x: Tensor) -> Tensor:
        return one(x, *given, *_zeros(model, x))  # type: ignore[no-any-return]

    state = measure_locality(of_state, channels=channels, multiple=multiple)
    if not isinstance(model, GenerativeModel) or state.reduces_over_space:
        return state
    name, drawn = next(iter(model.noise_inputs.items()))

    def of_noise(noise: Tensor) -> Tensor:
        inputs = {**dict(zip(model.noise_inputs, _zeros(model, noise), strict=True)), name: noise}
        x = noise.new_zeros(1, channels, *noise.shape[2:])
        return one(x, *given, *inputs.values())  # type: ignore[no-any-return]

    noise = measure_locality(of_noise, channels=drawn, multiple=multiple)
    more = max(recipe.sampler.steps) - 1
    radius = tuple(
        r + more * s for r, s in zip(state.receptive_field, noise.receptive_field, strict=True)
    )
    return Locality(radius, state.stride, noise.reduces_over_space, state.grid)


def _zeros(model: FieldModel, like: Tensor) -> list[Tensor]:
    """Of every noise input, (1, channels, ny, nx)."""
    return [like.new_zeros(1, n, *like.shape[2:]) for n in model.noise_inputs.values()]
