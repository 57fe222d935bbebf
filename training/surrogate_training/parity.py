"""Do the programs of a bundle compute what was trained? Checked at export, against float64 in the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.programs import load_portable, load_torchscript

TOLERANCE = 1e-3
"""Largest difference that is accepted, in standard deviations of a field's increments."""


class ParityError(RuntimeError):
    """A program does not compute what the trained model computes; nothing is exported."""


@torch.no_grad()
def check_programs(
    model: nn.Module, x: Tensor, *, portable: Path, script: Path
) -> dict[str, float]:
    """Compare the saved programs with the model, on the example and on a batch of another shape.

    Returns
    -------
    dict of str to float
        Largest difference of normalised increments by program.
    """
    halves = torch.cat([x[..., : x.shape[-1] // 2]] * 2)  # (2, C, ny, nx / 2)
    loaded = {"portable": load_portable(portable), "torchscript": load_torchscript(script)}
    found = {
        name: max(float((program(v) - model(v)).abs().max()) for v in (x, halves))
        for name, program in loaded.items()
    }
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise ParityError(
                f"program {name} differs from the trained model by {difference:.3g} standard deviations of the "
                f"increments, more than {TOLERANCE:g}: it is not exported. This is a fault of the export; report it"
            )
    return found


def check_reference(
    bundle: Path, state: Tensor, predicted: Tensor, statistics: Statistics, recipe: Recipe
) -> dict[str, float]:
    """Compare the float32 prediction with :func:`surrogate.reference.reference` in float64.

    Parameters
    ----------
    bundle : Path
        A complete bundle.
    state, predicted : Tensor, shape (1, C, ny, nx)
        At t1, and at t2 from the trained float32 model.

    Returns
    -------
    dict of str to float
        Largest difference by field, in standard deviations of its increments.
    """
    from surrogate.reference import reference

    truth = np.asarray(reference(bundle, state.numpy().astype(np.float64), guards=False))
    scale = [statistics.fields[name].increment_std for name in recipe.names]
    difference = np.abs(truth - predicted.numpy()).max((0, 2, 3)) / np.asarray(scale)
    found = {name: float(d) for name, d in zip(recipe.names, difference, strict=True)}
    worst = max(found, key=lambda name: found[name])
    if not found[worst] <= TOLERANCE:
        raise ParityError(
            f"{worst} differs from the float64 reference by {found[worst]:.3g} standard deviations of its "
            f"increments, more than {TOLERANCE:g}: it is not exported. Look for values in the model that "
            "float32 cannot hold"
        )
    return found
