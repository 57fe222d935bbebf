"""``surrogate guards``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surrogate_training.cli.options import Root, fail


def guards(
    run: Annotated[Path, typer.Argument(help="Run folder that the bundle was exported from.")],
    bundle: Annotated[Path, typer.Argument(help="Bundle to rewrite, NAME.surrogate.")],
    root: Root = None,
) -> None:
    """Measure a bundle's guards again from its run and data; its programs stay as they are."""
    from surrogate_training.guards import refresh_guards
    from surrogate_training.runfolder import open_run, set_threads

    try:
        folder = open_run(run)
        set_threads(folder.recipe().run.threads)
        manifest = refresh_guards(folder, bundle, root=root or folder.root())
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
    typer.echo(manifest.guards.model_dump_json(indent=2, exclude_none=True))
