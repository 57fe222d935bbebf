"""``surrogate data uncube``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import Pattern, failures, show
from surrogate_training.cli.options import Json


def uncube(
    source: Annotated[
        Path, typer.Argument(help="A cube, a folder of cubes, or an array .npy, .npz, .h5.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the FITS files.")],
    to: Annotated[
        Literal["single", "three", "channels"],
        typer.Option(help="The mean of the channels; three files; a file a channel."),
    ] = "single",
    reference: Annotated[
        Path | None, typer.Option(help="Cube at t1: header and mask of an array.")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option(help="What predicted it: time step, fields, scaling.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(help="From T_REC to the frame, where nothing else says it.")
    ] = None,
    scaled: Annotated[
        bool, typer.Option("--scaled", help="Values are in the manifest's scaling (asinh).")
    ] = False,
    channels: Annotated[str | None, typer.Option(help="Channels to take, with commas.")] = None,
    pattern: Pattern = None,
    as_json: Json = False,
) -> None:
    """Write predicted cubes as single FITS images, at the time that they are of."""
    with failures(as_json):
        from surrogate_training.magnetogram.headers import PATTERN
        from surrogate_training.magnetogram.uncube import uncube as write

        files = write(
            source,
            out,
            to=to,
            reference=reference,
            bundle=bundle,
            hours=hours,
            scaled=scaled,
            only=None if channels is None else [name.strip() for name in channels.split(",")],
            pattern=pattern or PATTERN,
        )
        if as_json:
            show({"files": files})
            return
    typer.echo(f"{out}: {len(files)} files")
