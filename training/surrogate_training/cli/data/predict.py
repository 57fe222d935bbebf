"""``surrogate data predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate.cli.options import Bundle, Device, Threads
from surrogate_training.cli.data.options import Pattern, failures, show
from surrogate_training.cli.options import Json


def predict(
    bundle: Bundle,
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Cubes at t1, folders of them, or pairs.csv; last: OUT, the folder to write."
        ),
    ],
    hours: Annotated[
        float | None, typer.Option(help="From t1 to t2, where the bundle does not say it.")
    ] = None,
    guards: Annotated[
        Path | None, typer.Option(help="JSON that replaces guards of the bundle key by key.")
    ] = None,
    device: Device = "cpu",
    threads: Threads = 0,
    pattern: Pattern = None,
    as_json: Json = False,
) -> None:
    """Run a bundle on magnetogram cubes; the predicted cubes carry WCS, times and HISTORY. Exit 1: all refused."""
    with failures(as_json):
        from surrogate_training.magnetogram.headers import PATTERN
        from surrogate_training.magnetogram.prediction import predict_cubes

        *inputs, out = sources
        if not inputs:
            raise ValueError(f"{out}: expected cubes and, last, the folder to write")
        report = predict_cubes(
            bundle,
            inputs,
            out,
            pattern=pattern or PATTERN,
            hours=hours,
            guards=guards,
            device=device,
            threads=threads,
        )
    if as_json:
        show(report)
    else:
        typer.echo(f"{out}: {len(report.cubes)} cubes; {len(report.rejected)} refused by guards")
        for path, reason in list(report.rejected.items())[:5]:
            typer.echo(f"  refused: {path}: {reason}")
    if report.rejected and not report.cubes:
        raise typer.Exit(1)
