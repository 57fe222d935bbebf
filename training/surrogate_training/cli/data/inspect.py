"""``surrogate data inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate_training.cli.data.options import Mapping, failures, show
from surrogate_training.cli.options import Json


def inspect(
    file: Annotated[
        Path,
        typer.Argument(help="HDF5, FITS, netCDF, Zarr, .npy, an image or a folder of images."),
    ],
    mapping: Mapping = None,
    as_json: Json = False,
) -> None:
    """Say what a file of frames holds: names, shapes, types, units, ranges, missing values, times."""
    from surrogate.cli.output import console, table

    with failures(as_json):
        from surrogate_training.data.inspection import inspect_file

        found = inspect_file(file, mapping=mapping)
        if as_json:
            show(found)
            return
    time, out = found.time, console()
    cells = " × ".join(map(str, found.shape))
    spacing = " × ".join(f"{step:g}" for step in found.spacing)
    several = f"{found.trajectories} trajectories of " if found.trajectories > 1 else ""
    out.print(
        f"{file}: {several}{found.frames} frames, ({', '.join(found.axes)}) {cells}, cells of {spacing}"
    )
    unit = "" if time.unit == "1" else f" {time.unit}"
    if time.smallest_step is None or time.largest_step is None:
        out.print(f"time {time.first:g}{unit}")
    else:
        steps = (
            f"steps of {time.smallest_step:g}{unit}"
            if time.regular
            else f"irregular: steps of {time.smallest_step:g} to {time.largest_step:g}{unit}"
        )
        out.print(f"time {time.first:g} to {time.last:g}{unit}, {steps}")
    lines = table("field", "type", "unit", "parts", "minimum", "maximum", "mean", "std", "missing")
    for name, field in found.fields.items():
        numbers = (field.minimum, field.maximum, field.mean, field.std)
        gone = field.nan + field.infinite
        lines.add_row(
            name,
            field.dtype,
            field.unit,
            str(field.components),
            *("–" if n is None else f"{n:.4g}" for n in numbers),
            f"{100 * gone:.3g} %" if gone else "none",
        )
    out.print(lines)
    if found.constants:
        shown = ", ".join(
            f"{name} = {value:g}" for name, value in list(found.constants.items())[:12]
        )
        out.print(f"{shown}{', …' if len(found.constants) > 12 else ''}")
