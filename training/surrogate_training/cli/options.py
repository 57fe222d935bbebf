"""Options that several subcommands share, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

Out = Annotated[Path | None, typer.Option("--out", help="Folder to write.")]
Root = Annotated[
    Path | None, typer.Option(help="Folder that data.path is relative to; default: the repository.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

FAILED = 2
DISAGREES = 1


def fail(error: Exception) -> NoReturn:
    """End a command: status 1 where a program disagrees with its model, else 2."""
    typer.echo(f"error: {error}", err=True)
    from surrogate_training.parity import ParityError

    raise typer.Exit(DISAGREES if isinstance(error, ParityError) else FAILED) from error
