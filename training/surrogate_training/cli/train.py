"""``surrogate train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from surrogate_training.cli.options import Out, Root, fail


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
    from surrogate_training.progress import progress
    from surrogate_training.recipe import load_recipe
    from surrogate_training.repository import find_root
    from surrogate_training.runfolder import RunFolder
    from surrogate_training.tracking.callbacks import follow
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
        callbacks = [progress(config.optimiser.steps, console), *follow(config)]
        run.path.mkdir(parents=True, exist_ok=True)
        console.print(f"data {base / config.data.path}", soft_wrap=True, highlight=False)
        ensure_data(config.data, root=base, log=run.path / "generate.log")
        Trainer(config, run, root=base, resume=resume, callbacks=callbacks).train()
        console.print(f"trained: {run.path}", soft_wrap=True, highlight=False)
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
