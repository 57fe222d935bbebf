"""What the commands of ``surrogate data`` share: an option, JSON, and failures as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from surrogate.cli.output import emit_json, failure
from surrogate.errors import SurrogateError
from surrogate_training.cli.options import FAILED, fail

Pattern = Annotated[
    str | None,
    typer.Option(
        help="Regular expression of file names, for headers without region or time: groups harp, noaa or region, and "
        "time. Default: JSOC's names."
    ),
]

Mapping = Annotated[
    Path | None,
    typer.Option(help="YAML file that says where a file of another layout keeps its fields."),
]


@contextmanager
def failures(as_json: bool) -> Iterator[None]:
    """End the command with status 2 and one line, or one JSON document, where something is wrong."""
    try:
        yield
    except (SurrogateError, ValueError, OSError, RuntimeError) as error:
        if as_json:
            emit_json(failure("FAILED", type(error).__name__, str(error)))
            raise typer.Exit(FAILED) from error
        fail(error)


def show(report: Any) -> None:
    """Print a report as JSON."""
    emit_json(report)
