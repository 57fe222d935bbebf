"""``surrogate tune``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from surrogate.cli.output import console, emit_json, table
from surrogate_training.cli.options import Json, Out, Root, fail

if TYPE_CHECKING:
    from surrogate_training.tune.objective import Objective
    from surrogate_training.tune.results import Result


def tune(
    space: Annotated[Path, typer.Argument(help="Search space, YAML: a recipe, and what varies.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, earlier ones counted in.")],
    out: Out = None,
    backend: Annotated[
        Literal["optuna", "ray"], typer.Option(help="In this process, or on a Ray cluster.")
    ] = "optuna",
    resume: Annotated[bool, typer.Option("--resume", help="Continue the search in --out.")] = False,
    as_json: Json = False,
    root: Root = None,
) -> None:
    """Search for the values of a recipe that validate best; each trial is an ordinary run folder."""
    from surrogate_training.repository import find_root
    from surrogate_training.tune.objective import Objective
    from surrogate_training.tune.search import run_search
    from surrogate_training.tune.space import load_space

    try:
        loaded, recipe = load_space(space)
        base = root or find_root(recipe.parent)
        folder = out or base / ".runs" / f"tune-{space.stem}"
        objective = Objective(loaded, recipe, folder, root=base)
        results = run_search(
            objective,
            trials=trials,
            backend=backend,
            resume=resume,
            tell=lambda result: None if as_json else console().print(_line(result), markup=False),
        )
    except (ValueError, OSError, RuntimeError) as error:
        fail(error)
    _print(results, objective, as_json=as_json)


def _line(result: Result) -> str:
    value = "–" if result.value is None else f"{result.value:.5g}"
    return f"trial {result.number} {result.state}  {value}  {result.seconds:.0f} s  {result.error}"


def _print(results: list[Result], objective: Objective, *, as_json: bool) -> None:
    from surrogate_training.tune.results import best_of

    best = best_of(results, largest=objective.largest)
    if as_json:
        found = asdict(best) if best else None
        emit_json(
            {"metric": objective.metric, "best": found, "trials": [asdict(r) for r in results]}
        )
        return
    shown = table("", "trial", "state", objective.metric, *objective.space.space, "seconds")
    for r in results:
        value = "–" if r.value is None else f"{r.value:.5g}"
        values = [
            _short(r.values[key]) if key in r.values else "–" for key in objective.space.space
        ]
        shown.add_row(
            "*" if r is best else "", str(r.number), r.state, value, *values, f"{r.seconds:.0f}"
        )
    console().print(shown)
    if best is None:
        fail(ValueError(f"no trial was completed; {objective.out}/trials.csv says why"))
    typer.echo(f"best recipe: {objective.out / 'best.yaml'} (trial {best.number})")


def _short(value: object) -> str:
    from rich.markup import escape

    from surrogate_training.tune.results import text

    return f"{value:.4g}" if isinstance(value, float) else escape(text(value))
