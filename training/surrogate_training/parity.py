"""Do the programs of a bundle compute what was trained? Checked at export, against float64 in the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from surrogate_training.data.scaling import scaled
from surrogate_training.example import STEP, ExamplePair
from surrogate_training.grid import GridRule
from surrogate_training.models.scaling import Scaling
from surrogate_training.programs import load_portable, load_torchscript

TOLERANCE = 1e-3
"""Largest difference that is accepted, in standard deviations of a scaled field's increments, or of its frames."""


class ParityError(RuntimeError):
    """A program does not compute what the trained model computes; nothing is exported."""


@torch.no_grad()
def check_programs(
    model: nn.Module,
    example: ExamplePair,
    scaling: Scaling,
    *,
    portable: Path,
    script: Path,
    rule: GridRule,
) -> dict[str, float]:
    """Compare the saved programs with the model, on the example and on a batch of another shape.

    Parameters
    ----------
    model : Module
        In eval mode.
    example : ExamplePair
        One state.
    scaling : Scaling
        In float64.
    portable, script : Path
        The programs.
    rule : GridRule
        Of both.

    Returns
    -------
    dict of str to float
        Largest difference by program, in the unit of ``TOLERANCE``.
    """
    pairs = [(example.inputs, example.state)]
    pairs.append(([_half(entry, rule) for entry in example.inputs], _half(example.state, rule)))
    loaded = {"portable": load_portable(portable), "torchscript": load_torchscript(script)}
    found = {}
    for name, program in loaded.items():
        differences = [
            _worst(scaling, u.double(), program(*given).double(), model(*given).double())
            for given, u in pairs
        ]
        found[name] = float(np.max(differences))  # not-a-number if one is
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise ParityError(
                f"program {name} differs from the trained model by {difference:.3g} {_unit(scaling)}, more than "
                f"{TOLERANCE:g}: it is not exported. This is a fault of the export; report it"
            )
    return found


def check_reference(bundle: Path, example: ExamplePair, scaling: Scaling) -> dict[str, float]:
    """Compare the float32 prediction with :func:`surrogate.reference.reference` in float64.

    Parameters
    ----------
    bundle : Path
        A complete bundle.
    example : ExamplePair
        With what the trained float32 model makes of it.
    scaling : Scaling
        In float64.

    Returns
    -------
    dict of str to float
        Largest difference by predicted field, in the unit of ``TOLERANCE``.
    """
    from surrogate.reference import reference

    u = example.state.double()
    parameters = next((p[0].tolist() for p in example.inputs[1:] if p.ndim == 2), None)
    truth = reference(bundle, u.numpy(), parameters=parameters, step=STEP, guards=False)
    found = deviations(
        scaling,
        scaling.frame(u, example.y.double()),
        scaling.predicted(torch.from_numpy(np.asarray(truth))),
    )
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise ParityError(
                f"{name} differs from the float64 reference by {difference:.3g} {_unit(scaling)}, more than "
                f"{TOLERANCE:g}: it is not exported. Look for values in the model that float32 cannot hold"
            )
    return found


def deviations(scaling: Scaling, frame: Tensor, other: Tensor) -> dict[str, float]:
    """Largest difference of two frames (B, P, ny, nx), physical, by field, in the unit of ``TOLERANCE``."""
    found = {}
    for p, c in enumerate(scaling.channels):
        units = scaling.units[c]
        a, b = (scaled(u[:, p], units.field) for u in (frame, other))
        found[units.field.name] = float((a - b).abs().max()) / units.step(of_frame=scaling.of_frame)
    return found


def example_tolerance(scaling: Scaling, example: ExamplePair) -> float:
    """``TOLERANCE`` as a largest difference of the program's outputs for the example.

    A scaling by asinh makes a given error of its scaled values the larger in the output the stronger the field.
    """
    frame = scaling.frame(example.state.double(), example.y.double())
    slopes = [
        scaling.units[c].steepness(float(frame[:, p].abs().max()), of_frame=scaling.of_frame)
        for p, c in enumerate(scaling.channels)
    ]
    return TOLERANCE * max(1.0, *slopes)


def _worst(scaling: Scaling, state: Tensor, y: Tensor, expected: Tensor) -> float:
    frames = scaling.frame(state, y), scaling.frame(state, expected)
    return float(np.max(list(deviations(scaling, *frames).values())))


def _half(entry: Tensor, rule: GridRule) -> Tensor:
    """A batch of two, of half the width where the rule allows it."""
    part = entry if entry.ndim == 2 else entry[..., : rule.half(entry.shape[-1])]
    return torch.cat([part] * 2)  # (2, C, ny, nx / 2)


def _unit(scaling: Scaling) -> str:
    return f"standard deviations of the {'scaled field' if scaling.of_frame else 'increments'}"
