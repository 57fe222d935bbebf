"""How far a trained model sees, whatever its kind."""

from __future__ import annotations

import torch
from torch import Tensor

from surrogate_training.config import Recipe
from surrogate_training.locality import Locality, measure_locality
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import scalars


def model_locality(model: FieldModel, recipe: Recipe) -> Locality:
    """Of all programs of a model.

    Measured by NaN propagation, except of a net that sees whole frames by its making, whatever its norms. Of a sampler
    one evaluation is measured: how far its draw depends on the state (r) and on the noise that it starts from (s), so
    on x_t. A sampler of K evaluations may depend on r + (K - 1) s cells: x_t carries to each what the one before saw.
    This is a bound, which a net with coarser levels may stay below; a measurement would need grids four times as wide.

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
    captions = recipe.data.captions
    columns = scalars(model, recipe) + (0 if captions is None else captions.length)
    given = [torch.ones(1, columns)] if columns else []
    channels = len(recipe.data.fields)

    def of_state(x: Tensor) -> Tensor:
        return one(x, *given, *_zeros(model, x))  # type: ignore[no-any-return]

    state = measure_locality(of_state, channels=channels, multiple=multiple)
    if not isinstance(model, GenerativeModel) or state.reduces_over_space or not model.noise_inputs:
        return state
    # one that starts from a constant has no noise there; the net reads x_t beside the features, so s <= r
    noise = state
    if model.process.from_noise:

        def of_noise(initial: Tensor) -> Tensor:
            x = initial.new_zeros(1, channels, *initial.shape[2:])
            _, *later = _zeros(model, initial)
            return one(x, *given, initial, *later)  # type: ignore[no-any-return]

        drawn = model.noise_inputs["initial"]
        noise = measure_locality(of_noise, channels=drawn, multiple=multiple)
    more = max(recipe.sampler.steps) - 1
    radius = tuple(
        r + more * s for r, s in zip(state.receptive_field, noise.receptive_field, strict=True)
    )
    return Locality(radius, state.stride, noise.reduces_over_space, state.grid)


def _zeros(model: FieldModel, like: Tensor) -> list[Tensor]:
    """Of every noise input, (1, channels, ny, nx)."""
    return [like.new_zeros(1, n, *like.shape[2:]) for n in model.noise_inputs.values()]
