"""``surrogate data convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import Mapping, failures, show
from surrogate_training.cli.options import Json


def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Files to convert, then the target: a file (their frames follow one another) or a folder."
        ),
    ],
    to: Annotated[
        Literal["well", "npy"] | None,
        typer.Option(
            help="The Well's layout (HDF5), or one array; default: by the target's suffix.",
        ),
    ] = None,
    fields: Annotated[
        str | None, typer.Option(help="Fields with commas between; default: all.")
    ] = None,
    dtype: Annotated[
        Literal["float32", "float64"] | None,
        typer.Option(help="Type of the numbers; default: as they are stored."),
    ] = None,
    mapping: Mapping = None,
    as_json: Json = False,
) -> None:
    """Convert files of any readable format; what is written gets its name when it is complete."""
    with failures(as_json):
        from surrogate_training.data import conversion

        if len(sources) < 2:
            raise ValueError("one path was given; expected inputs, and where to write")
        *given, out = sources
        chosen = tuple(name.strip() for name in fields.split(",")) if fields else ()
        written = conversion.convert(
            given,
            out,
            to=to,
            fields=chosen,
            dtype=dtype,
            mapping=mapping,
        )
        if as_json:
            show({"written": written, "inputs": len(given)})
            return
    for path in written[:10]:
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    if len(written) > 10:
        typer.echo(f"… {len(written)} files in all")
