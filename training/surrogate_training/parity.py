"""Do the programs of a bundle compute what was trained? Checked at export, against float64 in the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surrogate_training.data.scaling import scaled
from surrogate_training.describe import TORCHSCRIPT
from surrogate_training.example import STEP, ExamplePair
from surrogate_training.grid import GridRule
from surrogate_training.models.scaling import Scaling
from surrogate_training.programs import load_portable, load_torchscript
from surrogate_training.variants import Variant

TOLERANCE = 1e-3
"""Largest difference that is accepted, in standard deviations of a scaled field's increments, or of its frames."""


class ParityError(RuntimeError):
    """A program does not compute what the trained model computes; nothing is exported."""


@torch.no_grad()
def check_programs(
    variants: Sequence[Variant],
    example: ExamplePair,
    scaling: Scaling,
    *,
    folder: Path,
    rule: GridRule,
) -> dict[str, float]:
    """Compare the saved programs with the model, on the example and on a batch of another shape.

    Parameters
    ----------
    variants : sequence of Variant
        Of a model in eval mode.
    example : ExamplePair
        One state.
    scaling : Scaling
        In float64.
    folder : Path
        Where the programs lie, by their names in the bundle.
    rule : GridRule
        Of all.

    Returns
    -------
    dict of str to float
        Largest difference by program, in the unit of ``TOLERANCE``.
    """
    pairs = [(example.inputs, example.state)]
    pairs.append(([_half(entry, rule) for entry in example.inputs], _half(example.state, rule)))
    script = load_torchscript(folder / TORCHSCRIPT)
    found = {}
    for variant in variants:
        loaded = {
            "portable": load_portable(folder / variant.portable_file),
            "torchscript": getattr(script, variant.method or "forward"),
        }
        own = [variant.model(*given) for given, _ in pairs]
        for name, program in loaded.items():
            differences = [
                _worst(scaling, u.double(), program(*given).double(), y.double())
                for (given, u), y in zip(pairs, own, strict=True)
            ]
            # not-a-number if one is
            found[f"{name}{variant.suffix}"] = float(np.max(differences))
    for name, difference in found.items():
        if not difference <= TOLERANCE:
            raise ParityError(
                f"program {name} differs from the trained model by {difference:.3g} {_unit(scaling)}, more than "
                f"{TOLERANCE:g}: it is not exported. This is a fault of the export; report it"
            )
    return found


@torch.no_grad()
def check_reference(
    bundle: Path, variants: Sequence[Variant], example: ExamplePair, scaling: Scaling
) -> dict[str, float]:
    """Compare the float32 prediction of every variant with the float64 reference of the run time.

    Parameters
    ----------
    bundle : Path
        A complete bundle.
    variants : sequence of Variant
        Of the trained float32 model.
    example : ExamplePair
        The inputs.
    scaling : Scaling
        In float64.

    Returns
    -------
    dict of str to float
        Largest difference by predicted field, and by number of steps where there are several (``rho, 4 steps``), in
        the unit of ``TOLERANCE``.
    """
    from surrogate.reference import reference

    u = example.state.double()
    said: dict[str, Any] = {} if example.caption is None else {"caption": example.caption}
    found: dict[str, float] = {}
    for variant in variants:
        truth = reference(
            bundle,
            u.numpy(),
            parameters=example.scalars,
            program=f"portable{variant.suffix}",
            step=STEP,
            guards=False,
            **said,
        )
        y = variant.model(*example.inputs).double()
        label = "" if variant.steps is None else f", {variant.steps} steps"
        differences = deviations(
            scaling, scaling.frame(u, y), scaling.predicted(torch.from_numpy(np.asarray(truth)))
        )
        found |= {f"{name}{label}": value for name, value in differences.items()}
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
