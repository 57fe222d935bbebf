"""``surrogate train``."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from surrogate_training.cli.options import Out, Root, fail

if TYPE_CHECKING:
    from surrogate_training.runfolder import RunFolder
    from surrogate_training.trainer import Processes


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe, YAML.")],
    out: Out = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Continue from the last checkpoint of --out, or of the newest run."
        ),
    ] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override: section.key=value.")
    ] = None,
    root: Root = None,
) -> None:
    """Train a model by a recipe; its data set is generated if missing.

    Without --out a run goes to .runs/NAME/TIMESTAMP and .runs/NAME/latest points to it; --resume takes the latest.
    Several processes: torchrun --nproc-per-node 2 --no-python surrogate train RECIPE, on CPUs or GPUs.
    """
    from surrogate_training.generate import ensure_data
    from surrogate_training.progress import progress
    from surrogate_training.recipe import load_recipe
    from surrogate_training.repository import find_root
    from surrogate_training.tracking.callbacks import follow
    from surrogate_training.trainer import Processes, Trainer

    console = Console()
    try:
        config = load_recipe(recipe, overrides=tuple(overrides or ()))
        base = root or find_root(recipe.parent)
        processes = Processes(config)
        # made before the folder: a tracker that is not installed then leaves nothing behind
        callbacks = (
            [progress(config.optimiser.steps, console), *follow(config)] if processes.main else []
        )
        run = _folder(processes, out, base / ".runs" / config.name, resume=resume)
        try:
            if processes.main:
                console.print(f"data {base / config.data.path}", soft_wrap=True, highlight=False)
                ensure_data(config.data, root=base, log=run.path / "generate.log")
            processes.wait()
            trainer = Trainer(
                config,
                run,
                root=base,
                resume=resume,
                callbacks=callbacks,
                processes=processes,
            )
        except Exception:
            with contextlib.suppress(OSError):
                run.path.rmdir()  # if it is empty, nothing has begun
            raise
        if processes.main and out is None:
            run.name_latest()
        trainer.train()
        if processes.main:
            console.print(f"trained: {run.path}", soft_wrap=True, highlight=False)
        processes.close()
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)


def _folder(processes: Processes, out: Path | None, experiment: Path, *, resume: bool) -> RunFolder:
    """The folder of the run, made: `out`, or a new one of the experiment, or the newest one to resume."""
    from surrogate_training.runfolder import RunFolder, latest_run, new_run

    if out is None:
        choose = latest_run if resume else new_run
        return RunFolder(processes.agree(choose(experiment).path if processes.main else None))
    run = RunFolder(out)
    if run.last_checkpoint.is_file() and not resume:
        raise ValueError(f"{run.path} already holds a run: add --resume, or choose another --out")
    run.path.mkdir(parents=True, exist_ok=True)
    return run
