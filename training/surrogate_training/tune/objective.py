"""One trial: a recipe with values of the search space, trained into an ordinary run folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

from surrogate_training.callback import Callback
from surrogate_training.config import Recipe
from surrogate_training.generate import ensure_data
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.callbacks import follow
from surrogate_training.trainer import Trainer
from surrogate_training.tune.space import Space, Values, build_recipe
from surrogate_training.watch.records import Tail
from surrogate_training.watch.snapshot import best

Report = Callable[[int, float], None]
"""Told (step, value) after each validation; raises Pruned to give the trial up."""


class Objective:
    """Trains trials; the same function for every back end, in this process or on another machine.

    Parameters
    ----------
    space : Space
        What varies.
    recipe : Path
        The recipe that it varies.
    out : Path
        Folder of the search; run folders lie in ``trials/``.
    root : Path
        Folder that ``data.path`` is relative to.
    """

    def __init__(self, space: Space, recipe: Path, out: Path, *, root: Path) -> None:
        self.space, self.recipe = space, recipe.resolve()
        self.out, self.root = out.resolve(), root.resolve()
        self.base = self.build({key: p.ends()[0] for key, p in space.space.items()})

    @property
    def metric(self) -> str:
        """Which validation figure is looked at; what is declared best in the recipe."""
        return self.base.run.best.removeprefix("-")

    @property
    def largest(self) -> bool:
        """Whether it is best where it is largest."""
        return self.base.run.best.startswith("-")

    def build(self, values: Values) -> Recipe:
        """The recipe of a trial."""
        return build_recipe(self.space, self.recipe, values)

    def train(self, values: Values, folder: str, report: Report) -> float:
        """Train a trial, from its last checkpoint if it has one, and return its best validation.

        Raises
        ------
        Pruned
            From `report`; the run folder is closed in good order.
        DivergedError, RecipeError
            If the trial's values do not train, or do not fit each other.
        """
        recipe = self.build(values)
        run = RunFolder(self.out / "trials" / folder)
        run.path.mkdir(parents=True, exist_ok=True)
        ensure_data(recipe.data, root=self.root, log=run.path / "generate.log")
        callbacks = [*follow(recipe), Intermediate(self.metric, report)]
        Trainer(recipe, run, root=self.root, resume=True, callbacks=callbacks).train()
        found = best_validation(run, recipe)
        if found is None:
            raise RecipeError(
                f"{run.path}: no finite validation of {self.metric!r}, so trials cannot be compared: set "
                "data.split.validation, and run.validate_every to at most optimiser.steps"
            )
        return found

    def describe(self) -> str:
        """What must stay the same for a search to be continued, as JSON."""
        space = self.space.model_dump(mode="json", by_alias=True, exclude={"recipe"})
        recipe = self.base.model_dump(mode="json")
        return json.dumps({"space": space, "recipe": recipe}, indent=2, sort_keys=True) + "\n"


class Intermediate(Callback):
    """Passes each validation on to the search."""

    def __init__(self, metric: str, report: Report) -> None:
        self.metric, self.report = metric, report

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Report one, and let the search end the trial."""
        if math.isfinite(values[self.metric]):
            self.report(step, values[self.metric])


def best_validation(run: RunFolder, recipe: Recipe) -> float | None:
    """Best validation of a run by its recipe's ``run.best``, of all its sessions."""
    records = [r for r in Tail(run.metrics_file).read() if r["kind"] == "validation"]
    found = best(records, recipe.run.best)
    return None if found is None else found[1]
