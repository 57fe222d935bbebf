"""``surrogate watch``."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from surrogate.cli.output import console, emit_json
from surrogate_training.cli.options import Json, fail


def watch(
    run: Annotated[Path, typer.Argument(help="Run folder, or .runs/NAME for its newest run.")],
    once: Annotated[bool, typer.Option("--once", help="Show it once and leave.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Watch a run by its files: progress, losses, validations, resources, and whether it is still alive."""
    from rich.live import Live

    from surrogate_training.watch.screen import render
    from surrogate_training.watch.snapshot import Watcher

    if as_json and not once:
        fail(ValueError("--json shows a run once: add --once"))
    try:
        watcher = Watcher(run)
        snapshot = watcher.look()
    except (ValueError, OSError) as error:
        fail(error)
    if as_json:
        emit_json(asdict(snapshot))
        return
    if once:
        console().print(render(snapshot))
        return
    with Live(render(snapshot), console=console(), auto_refresh=False) as live:
        while snapshot.state in ("running", "waiting"):
            time.sleep(every)
            snapshot = watcher.look()
            live.update(render(snapshot), refresh=True)
