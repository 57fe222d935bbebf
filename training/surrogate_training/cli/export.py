"""``surrogate export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate_training.cli.options import Root, fail


def export(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option("--out", help="Bundle to write, NAME.surrogate.")],
    root: Root = None,
) -> None:
    """Export a run as a bundle; refused if it does not agree with the reference."""
    from surrogate_training.export import export_run
    from surrogate_training.runfolder import open_run

    try:
        folder = open_run(run)
        manifest = export_run(folder, out, root=root or folder.root())
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
    size = sum(entry.bytes for entry in manifest.files.values())
    local = manifest.locality
    reach = "whole frames" if local.reduces_over_space else f"{local.receptive_field} cells"
    typer.echo(f"{out}: {size / 1e6:.1f} MB, receptive field {reach}")
