"""Errors during training: of the model and of persistence, on a few pairs, where the model stands."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.statistics import Statistics
from surrogate_training.metrics.relative import relative_errors
from surrogate_training.models.scaling import Scaling

Errors = dict[str, np.ndarray]


@torch.no_grad()
def errors_on(
    model: nn.Module,
    pairs: PairSet,
    indices: list[int],
    recipe: Recipe,
    statistics: Statistics,
    scaling: Scaling,
) -> tuple[Errors, Errors]:
    """Relative errors of the model and of persistence, per field an array over ``indices``."""
    device = scaling.get_buffer("mean").device
    model_errors: dict[str, list[float]] = {}
    still_errors: dict[str, list[float]] = {}
    for index in indices:
        pair = torch.from_numpy(np.array(pairs.pair(index))).to(device)  # (2, C, ny, nx)
        u1, u2 = pair[:1], pair[1:]
        parameters = pairs.parameters(index)
        more = () if parameters is None else (torch.from_numpy(parameters)[None].to(device),)
        predicted = scaling.frame(u1, model(scaling.normalise(u1), *more))
        still, truth = scaling.predicted(u1), scaling.predicted(u2)
        for into, frame in ((model_errors, predicted), (still_errors, still)):
            for name, e in relative_errors(frame, truth, recipe, statistics).items():
                into.setdefault(name, []).append(float(e))
    return (
        {name: np.asarray(e) for name, e in model_errors.items()},
        {name: np.asarray(e) for name, e in still_errors.items()},
    )
