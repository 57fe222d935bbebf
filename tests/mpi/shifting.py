"""Bundles of the tests of predictions over ranks: a stub program whose outputs depend on cells some way off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bundles import field, stub_bundle

FIELDS = [
    field("rho", mean=0.1, std=1.5, scale=0.3),
    field("v", components=2, std=2.0),
    field("mask", prediction=None),
]
# v_y, mask and rho, shifted: increments of rho, v_x and v_y that come from other channels and cells
PROGRAM = {"operation": "affine", "scale": [0.5, 2.0, -1.0], "offset": [0.0, 0.25, 0.0]}
CHANNELS = [2, 3, 0]
SHIFT = [2, -1, 3]
AXES = ["z", "y", "x"]


def shifting_bundle(
    folder: Path,
    axes: int,
    *,
    boundary: str = "periodic",
    multiple_of: int = 1,
    stride: int = 1,
    noise: float = 0.0,
    shift: list[int] | None = None,
    reduces_over_space: bool = False,
    fields: list[dict[str, Any]] | None = None,
    stub: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A bundle in `folder` whose outputs depend on one cell, `shift` away; `boundary` along axis 0, else periodic."""
    shift = (shift or SHIFT)[:axes]
    grid = {
        "axes": AXES[3 - axes :],
        "multiple_of": [multiple_of] * axes,
        "minimum_shape": [multiple_of] * axes,
        "boundary": [boundary] + ["periodic"] * (axes - 1),
    }
    locality = {
        "receptive_field": [abs(s) for s in shift],
        "stride": [stride] * axes,
        "reduces_over_space": reduces_over_space,
    }
    program = {**PROGRAM, "channels": CHANNELS, "shift": shift, "noise": noise, **(stub or {})}
    if noise:
        more["noise"] = [{"name": "xi", "channels": 2}]
    return stub_bundle(
        folder / "shifting.surrogate",
        fields or FIELDS,
        program,
        grid=grid,
        locality=locality,
        **more,
    )
