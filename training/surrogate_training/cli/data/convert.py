"""``surrogate data convert``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from surrogate_training.cli.data.options import Mapping, failures, show
from surrogate_training.cli.options import Json
from surrogate_training.magnetogram.sharp import SharpOptions

SHARP = "Regions of a map (--to sharp)"


def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Files to convert, then the target: a file (their frames follow one another) or a folder."
        ),
    ],
    to: Annotated[
        Literal["well", "npy", "sharp"] | None,
        typer.Option(
            help="The Well's layout (HDF5), one array, or FITS files like SHARPs; default: by the target's suffix.",
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
    size: Annotated[
        int, typer.Option(min=1, help="Cells along each side of a region.", rich_help_panel=SHARP)
    ] = 128,
    lon_sectors: Annotated[
        int,
        typer.Option(
            min=0, help="Regions along longitude; 0: as many as fit.", rich_help_panel=SHARP
        ),
    ] = 0,
    lat_bands: Annotated[
        int,
        typer.Option(
            min=0, help="Regions along latitude; 0: as many as fit.", rich_help_panel=SHARP
        ),
    ] = 0,
    first_harp: Annotated[
        int, typer.Option(min=1, help="HARPNUM of the first region.", rich_help_panel=SHARP)
    ] = 900001,
    start: Annotated[
        str | None,
        typer.Option(help="TAI of time 0; default: the scalar start_time.", rich_help_panel=SHARP),
    ] = None,
    limb: Annotated[
        float | None,
        typer.Option(
            help="Degrees from the middle of the disc; beyond is NaN.", rich_help_panel=SHARP
        ),
    ] = None,
    stored: Annotated[
        Literal["float32", "int32"],
        typer.Option(help="int32: scaled and compressed, as JSOC's.", rich_help_panel=SHARP),
    ] = "float32",
    as_json: Json = False,
) -> None:
    """Convert files of any readable format; what is written gets its name when it is complete."""
    with failures(as_json):
        from surrogate_training.data import conversion

        if len(sources) < 2:
            raise ValueError("one path was given; expected inputs, and where to write")
        *given, out = sources
        chosen = tuple(name.strip() for name in fields.split(",")) if fields else ()
        if to == "sharp":
            if mapping is not None or dtype is not None:
                raise ValueError("--mapping, --dtype: not with --to sharp; --stored says the type")
            options = SharpOptions(
                size, lon_sectors, lat_bands, first_harp, chosen, limb=limb, stored=stored
            )
            _write_sharps(given, out, options, start, as_json=as_json)
            return
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


def _write_sharps(
    sources: list[Path], out: Path, options: SharpOptions, start: str | None, *, as_json: bool
) -> None:
    from surrogate.io.tai import parse_time
    from surrogate_training.magnetogram.sharp import write_all_sharps

    at = None if start is None else parse_time(start)
    options = replace(options, start=at)
    report = write_all_sharps(sources, out, options)
    if as_json:
        show(report)
        return
    unseen = f"; {report.unseen} left out, off the limb" if report.unseen else ""
    typer.echo(
        f"{out}: {len(report.files)} files of {report.regions} regions at {report.frames} times{unseen}"
    )
