"""``surrogate data``: look into files of frames, convert and audit them. One file a subcommand."""

from __future__ import annotations

import typer

from surrogate_training.cli.data.audit import audit
from surrogate_training.cli.data.convert import convert
from surrogate_training.cli.data.cube import cube
from surrogate_training.cli.data.inspect import inspect
from surrogate_training.cli.data.pair import pair
from surrogate_training.cli.data.predict import predict
from surrogate_training.cli.data.split import split
from surrogate_training.cli.data.uncube import uncube

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def data() -> None:
    """Look into files of frames, convert them, and audit a data set before a model is trained on it."""


app.command()(inspect)
app.command()(convert)
app.command()(audit)
# solar magnetograms
for command in (cube, pair, split, predict, uncube):
    app.command()(command)
