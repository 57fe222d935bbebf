"""``surrogate data pair``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate_training.cli.data.options import Pattern, failures, show
from surrogate_training.cli.options import Json


def pair(
    cubes: Annotated[list[Path], typer.Argument(help="Cubes, or folders of them.")],
    hours: Annotated[
        float | None, typer.Option(help="Time from t1 to t2; default: the most frequent distance.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Share of it that a pair may deviate by.")] = 0.1,
    out: Annotated[
        Path | None, typer.Option("--out", help="The list; default: pairs.csv in the first folder.")
    ] = None,
    pattern: Pattern = None,
    as_json: Json = False,
) -> None:
    """List pairs of cubes, one time step apart, of the same active region."""
    with failures(as_json):
        from surrogate_training.magnetogram.headers import PATTERN
        from surrogate_training.magnetogram.pairing import pair_cubes
        from surrogate_training.magnetogram.pairlist import NAME, write_pairs

        report = pair_cubes(cubes, hours=hours, tolerance=tolerance, pattern=pattern or PATTERN)
        target = out or (cubes[0] if cubes[0].is_dir() else cubes[0].parent) / NAME
        write_pairs(target, report.pairs)
        if as_json:
            show(
                {
                    "list": target,
                    "pairs": len(report.pairs),
                    "regions": report.regions,
                    "cubes": report.cubes,
                    "duplicates": report.duplicates,
                    "gaps": report.gaps,
                    "hours": report.hours,
                    "tolerance": report.tolerance,
                }
            )
            return
    typer.echo(
        f"{target}: {len(report.pairs)} pairs of {report.regions} regions, {report.hours:g} h apart within "
        f"{100 * report.tolerance:g} %, from {report.cubes} cubes ({report.duplicates} duplicates); "
        f"{len(report.gaps)} gaps"
    )
    for text in report.gaps[:5]:
        typer.echo(f"  gap: {text}")
