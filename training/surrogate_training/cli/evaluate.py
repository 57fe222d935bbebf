"""``surrogate evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from surrogate_training.cli.options import Json, Root, fail


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, or bundle NAME.surrogate.")],
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    picture: Annotated[Path | None, typer.Option(help="PNG: t1 | t2 | predicted | error.")] = None,
    as_json: Json = False,
    root: Root = None,
) -> None:
    """Print the errors of a run or bundle beside persistence, per field, on unseen trajectories."""
    from surrogate_training.evaluate import evaluate_bundle, evaluate_run
    from surrogate_training.repository import find_root
    from surrogate_training.runfolder import open_run, set_threads

    try:
        if (run / "manifest.json").is_file():
            if picture is not None:
                raise ValueError(
                    "--picture needs a run folder; a bundle's pictures are made by `surrogate demo`"
                )
            summary = evaluate_bundle(run, root=root or find_root(Path.cwd()), part=part)
        else:
            folder = open_run(run)
            set_threads(folder.recipe().run.threads)
            summary = evaluate_run(folder, root=root or folder.root(), part=part)
        if picture is not None:
            from surrogate_training.picture import draw_run

            draw_run(folder, picture, root=root or folder.root(), part=part)
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
        return
    typer.echo(f"{'field':8s} {'error':>8s} {'persistence':>12s} {'ratio':>7s}")
    for name, e in summary["fields"].items():
        typer.echo(f"{name:8s} {e['error']:8.4f} {e['persistence']:12.4f} {e['ratio']:7.3f}")
    total = (summary["error"], summary["persistence_error"], summary["error_over_persistence"])
    typer.echo(f"{'mean':8s} {total[0]:8.4f} {total[1]:12.4f} {total[2]:7.3f}")
