"""``surrogate data cube``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import Pattern, failures, show
from surrogate_training.cli.options import Json


def cube(
    sources: Annotated[
        list[Path],
        typer.Argument(help="FITS files, or folders of them; last: OUT, the folder to write."),
    ],
    channels: Annotated[
        str | None,
        typer.Option(
            help="Names with commas: segments, or what planes are called. Default: Br,Bt,Bp."
        ),
    ] = None,
    kind: Annotated[
        Literal["auto", "segments", "planes", "repeat"],
        typer.Option(
            "--from", help="One file a channel, the planes of one, or one frame repeated."
        ),
    ] = "auto",
    size: Annotated[str | None, typer.Option(help="NY,NX pixels to cut from the middle.")] = None,
    pattern: Pattern = None,
    as_json: Json = False,
) -> None:
    """Join the channels of each region and time in one FITS cube."""
    with failures(as_json):
        from surrogate_training.magnetogram.cube import make_cubes
        from surrogate_training.magnetogram.headers import PATTERN

        *inputs, out = sources
        if not inputs:
            raise ValueError(f"{out}: expected IN OUT, files or folders and the folder to write")
        report = make_cubes(
            inputs,
            out,
            channels=None if channels is None else [name.strip() for name in channels.split(",")],
            kind=kind,
            pattern=pattern or PATTERN,
            size=_size(size),
        )
        if as_json:
            show(report)
            return
    typer.echo(
        f"{out}: {len(report.cubes)} cubes of {', '.join(report.channels)} (from {report.kind}); "
        f"{report.duplicates} duplicate files and {len(report.incomplete)} incomplete frames left out"
    )
    for text in report.incomplete[:5]:
        typer.echo(f"  incomplete: {text}")


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        ny, nx = (int(n) for n in text.split(","))
    except ValueError:
        ny = nx = 0
    if ny < 1 or nx < 1:
        raise ValueError(f"--size {text}: expected NY,NX pixels, as 128,128")
    return ny, nx
