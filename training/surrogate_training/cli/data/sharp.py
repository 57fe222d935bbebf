"""``surrogate data sharp``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import failures, show
from surrogate_training.cli.options import Json


def sharp(
    source: Annotated[
        Path, typer.Argument(help="Frames of br and other fields, in The Well's layout.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the FITS files.")],
    size: Annotated[int, typer.Option(min=1, help="Cells along each side of a region.")] = 128,
    lon_sectors: Annotated[
        int, typer.Option(min=0, help="Regions along longitude; 0: as many as fit.")
    ] = 0,
    lat_bands: Annotated[
        int, typer.Option(min=0, help="Regions along latitude; 0: as many as fit.")
    ] = 0,
    first_harp: Annotated[int, typer.Option(min=1, help="HARPNUM of the first region.")] = 900001,
    fields: Annotated[str | None, typer.Option(help="Fields with commas; default: all.")] = None,
    start: Annotated[
        str | None, typer.Option(help="TAI of time 0; default: the scalar start_time.")
    ] = None,
    limb: Annotated[
        float | None, typer.Option(help="Degrees from the middle of the disc; beyond is NaN.")
    ] = None,
    stored: Annotated[
        Literal["float32", "int32"], typer.Option(help="int32: scaled and compressed, as JSOC's.")
    ] = "float32",
    as_json: Json = False,
) -> None:
    """Cut regions out of a solver's maps, as FITS files with SHARP-like headers."""
    with failures(as_json):
        from surrogate_training.magnetogram.sharp import SharpOptions, write_sharps
        from surrogate_training.magnetogram.tai import parse_time

        options = SharpOptions(
            size=size,
            sectors=lon_sectors,
            bands=lat_bands,
            first_harp=first_harp,
            fields=tuple(name.strip() for name in fields.split(",")) if fields else (),
            start=parse_time(start) if start else None,
            limb=limb,
            stored=stored,
        )
        report = write_sharps(source, out, options)
        if as_json:
            show(report)
            return
    typer.echo(
        f"{out}: {len(report.files)} files of {report.regions} regions at {report.frames} times"
        + (f"; {report.unseen} left out, off the limb" if report.unseen else "")
    )
