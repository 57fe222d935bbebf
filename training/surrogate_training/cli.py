"""Commands ``train``, ``evaluate``, ``export`` and ``guards``, registered in the group ``surrogate.commands``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Out = Annotated[Path | None, typer.Option("--out", help="Folder to write.")]
Root = Annotated[
    Path | None, typer.Option(help="Folder that data.path is relative to; default: the repository.")
]

FAILED = 2


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, YAML.")],
    out: Out = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the last checkpoint.")
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override: section.key=value.")
    ] = None,
    root: Root = None,
) -> None:
    """Train a model by a recipe; its data set is generated if missing."""
    from surrogate_training.generate import ensure_data
    from surrogate_training.progress import reporter
    from surrogate_training.recipe import load_recipe
    from surrogate_training.repository import find_root
    from surrogate_training.runfolder import RunFolder
    from surrogate_training.trainer import Trainer

    console = Console()
    try:
        config = load_recipe(recipe, overrides=tuple(overrides or ()))
        base = root or find_root(recipe.parent)
        run = RunFolder(out or base / ".runs" / config.name)
        if run.last_checkpoint.is_file() and not resume:
            raise ValueError(
                f"{run.path} already holds a run: add --resume, or choose another --out"
            )
        run.path.mkdir(parents=True, exist_ok=True)
        console.print(f"data {base / config.data.path}", soft_wrap=True, highlight=False)
        ensure_data(config.data, root=base, log=run.path / "generate.log")
        progress = reporter(config.optimiser.steps, console)
        Trainer(config, run, root=base, resume=resume, reporter=progress).train()
        console.print(f"trained: {run.path}", soft_wrap=True, highlight=False)
    except (ValueError, OSError, RuntimeError) as error:
        _fail(error)


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run folder, or bundle NAME.surrogate.")],
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    picture: Annotated[Path | None, typer.Option(help="PNG: t1 | t2 | predicted | error.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
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
        _fail(error)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
        return
    typer.echo(f"{'field':8s} {'error':>8s} {'persistence':>12s} {'ratio':>7s}")
    for name, e in summary["fields"].items():
        typer.echo(f"{name:8s} {e['error']:8.4f} {e['persistence']:12.4f} {e['ratio']:7.3f}")
    total = (summary["error"], summary["persistence_error"], summary["error_over_persistence"])
    typer.echo(f"{'mean':8s} {total[0]:8.4f} {total[1]:12.4f} {total[2]:7.3f}")


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
        _fail(error)
    size = sum(entry.bytes for entry in manifest.files.values())
    typer.echo(
        f"{out}: {size / 1e6:.1f} MB, receptive field {manifest.locality.receptive_field} cells"
    )


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
        _fail(error)
    typer.echo(manifest.guards.model_dump_json(indent=2, exclude_none=True))


def _fail(error: Exception) -> None:
    typer.echo(f"error: {error}", err=True)
    from surrogate_training.parity import ParityError

    raise typer.Exit(1 if isinstance(error, ParityError) else FAILED) from error
