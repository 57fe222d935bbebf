"""What a model of latents takes over from the run that made its autoencoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from surrogate_training.config import Generative, Recipe
from surrogate_training.data.batches import stored
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.warm_start import (
    StartError,
    check_statistics,
    take_over,
    trained_run,
)
from surrogate_training.models.latent import LatentModel
from surrogate_training.models.reconstruction import Reconstruction
from surrogate_training.models.scaling import Scaling

FRAMES = 64
"""Training frames, spread over the set, that the latents' means and deviations are measured on."""
SMALLEST = 1e-6
"""Of a deviation: a latent that never changes leaves nothing to divide by."""


def take_autoencoder(
    model: LatentModel, recipe: Recipe, statistics: Statistics, *, root: Path
) -> None:
    """Copy the autoencoder of ``method.autoencoder`` into a model, and standardise its latents.

    Raises
    ------
    StartError
        If there is no such run, or its autoencoder is of other fields, in other units, or of another shape.
    """
    assert isinstance(recipe.method, Generative)
    where = f"method.autoencoder: {recipe.method.autoencoder}"
    run, found = trained_run(where, root / recipe.method.autoencoder)
    if not isinstance(found, Reconstruction):
        raise StartError(
            f"{where}: a run of method {run.recipe().method.kind}; name one of method vae"
        )
    _check(where, run.recipe(), recipe)
    fields = {f.name: statistics.fields[f.name] for f in recipe.predicted}
    check_statistics(where, run.statistics(), replace(statistics, fields=fields))
    take_over(model.autoencoder, found.net)
    measure_latents(model, Scaling(recipe, statistics), open_sets(recipe.data, root=root)["train"])


@torch.no_grad()
def measure_latents(model: LatentModel, scaling: Scaling, pairs: PairSet) -> None:
    """Set a model's means and deviations of the latents, so that those it draws have mean 0 and deviation 1."""
    mean, std = model.get_buffer("mean"), model.get_buffer("std")
    moments = torch.zeros(2, len(mean), dtype=torch.float64)
    indices = pairs.spread(FRAMES)
    for index in indices:
        batch = stored(pairs, index)
        z = scaling.answer(batch.u1, batch.u2).to(mean.device)
        latents = model.autoencoder.encode(z)[0].double().cpu()  # (1, c, ny / f, nx / f)
        moments += torch.stack([latents.mean((0, 2, 3)), latents.square().mean((0, 2, 3))])
    first, second = moments / len(indices)
    mean.copy_(first[:, None, None])
    std.copy_((second - first.square()).clamp(min=SMALLEST**2).sqrt()[:, None, None])


def _check(where: str, old: Recipe, new: Recipe) -> None:
    """Refuse an autoencoder that is not of the fields and the shape that this run states."""
    theirs_and_ours: dict[str, tuple[object, object]] = {
        "data.fields (predicted)": (old.predicted, new.predicted),
        "model.latents": (old.model.latents, new.model.latents),
        "model.boundary": (old.model.boundary, new.model.boundary),
    }
    for key, (theirs, ours) in theirs_and_ours.items():
        if theirs != ours:
            raise StartError(
                f"{where}: that run has {key} {theirs}, this one {ours}: state here what it was trained with, or train "
                "another autoencoder"
            )
