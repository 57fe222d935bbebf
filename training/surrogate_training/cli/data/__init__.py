"""``surrogate data``: look into files of frames, convert and audit them. One file a subcommand."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def data() -> None:
    """Look into files of frames, convert them, and audit a data set before a model is trained on it."""
