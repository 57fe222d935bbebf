"""A search from its file to its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from surrogate.whole import write_text
from surrogate_training.recipe import RecipeError
from surrogate_training.tune import optuna_backend, ray_backend
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.plot import draw_search
from surrogate_training.tune.results import PLOT, Result, write_results

SEARCH = "search.json"
Backend = Literal["optuna", "ray"]
BACKENDS = {"optuna": optuna_backend, "ray": ray_backend}


def run_search(
    objective: Objective,
    *,
    trials: int,
    backend: Backend = "optuna",
    resume: bool = False,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Search until `trials` trials have ended, and write table, picture and best recipe.

    Raises
    ------
    RecipeError
        Where the folder holds a search and `resume` was not asked for, or another search; or a package is missing.
    """
    out = objective.out
    BACKENDS[backend].load()  # before anything is left in the folder
    out.mkdir(parents=True, exist_ok=True)
    _claim(objective, out / SEARCH, resume=resume)
    results: list[Result] = BACKENDS[backend].search(objective, out, trials=trials, tell=tell)
    write_results(results, objective, out)
    draw_search(results, objective, out / PLOT)
    return results


def _claim(objective: Objective, file: Path, *, resume: bool) -> None:
    """Note what is searched; refuse to mix two searches."""
    mine = objective.describe()
    if file.is_file():
        if not resume:
            raise RecipeError(
                f"{file.parent} already holds a search: add --resume, or choose another --out"
            )
        if file.read_text() != mine:
            raise RecipeError(
                f"{file.parent} holds a search of another space or recipe ({file.name} says which): undo the "
                "change, or choose another --out"
            )
        return
    write_text(file, mine)
