"""``surrogate data split``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import Pattern, failures, show
from surrogate_training.cli.options import Json


def split(
    pairs: Annotated[Path, typer.Argument(help="pairs.csv, or its folder.")],
    out: Annotated[Path, typer.Argument(help="Folder of the parts.")],
    ratio: Annotated[
        float, typer.Option(help="Share of the regions that are not for the test.")
    ] = 0.8,
    validation: Annotated[float, typer.Option(help="Share of the regions for validation.")] = 0.0,
    by: Annotated[
        Literal["region", "longitude"],
        typer.Option(help="Draw regions, or cut sectors of longitude."),
    ] = "region",
    buffer: Annotated[
        float, typer.Option(help="Degrees of longitude left out between sectors.")
    ] = 0.0,
    buffer_cells: Annotated[
        int, typer.Option(min=0, help="The same in cells; the larger of both counts.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the drawing, or of where the test begins.")
    ] = 0,
    pattern: Pattern = None,
    as_json: Json = False,
) -> None:
    """Split pairs into train, test and validation by whole active regions."""
    with failures(as_json):
        from surrogate_training.magnetogram.headers import PATTERN
        from surrogate_training.magnetogram.splitting import split_pairs

        report = split_pairs(
            pairs,
            out,
            ratio=ratio,
            validation=validation,
            by=by,
            buffer=buffer,
            buffer_cells=buffer_cells,
            seed=seed,
            pattern=pattern or PATTERN,
        )
        if as_json:
            show(report)
            return
    for part, number in report.pairs.items():
        where = ""
        if part in report.sectors:
            west, east = report.sectors[part]
            where = f", longitudes {west:.1f} to {east:.1f}"
        typer.echo(f"{out / part}: {number} pairs of {len(report.parts[part])} regions{where}")
    if dropped := report.parts.get("dropped"):
        typer.echo(f"  left out in buffers of {report.buffer:g} degrees: {len(dropped)} regions")
    for names in report.linked:
        typer.echo(f"  one region: {', '.join(names)}")
