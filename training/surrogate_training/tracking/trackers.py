"""The trackers of a run, kept from harming it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surrogate_training.callback import Callback, Sample
from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking import mlflow, tensorboard, wandb
from surrogate_training.tracking.ending import Ending
from surrogate_training.tracking.resources import Resources
from surrogate_training.tracking.samples import sample_path
from surrogate_training.tracking.tracker import Tracker

LOGGER = logging.getLogger(__name__)

Make = Callable[..., Tracker]
KINDS: dict[str, tuple[Callable[[], Any], Make]] = {
    "tensorboard": (tensorboard.load, tensorboard.TensorBoard),
    "wandb": (wandb.load, wandb.WandB),
    "mlflow": (mlflow.load, mlflow.MLflow),
}
"""What loads a tracker's package, and what makes the tracker, by the recipe's ``run.trackers``."""


class Trackers(Callback):
    """Passes on what happens; whatever a tracker raises is told in the log, once a tracker, and the run goes on.

    Parameters
    ----------
    names : tuple of str
        Which; a package that is missing is an error here, before anything is trained.
    resources : Resources, optional
        Whose readings are passed on, with the training's step: in its own thread, since trackers are not made for two.

    Raises
    ------
    RecipeError
        Where a tracker's package is not installed.
    """

    def __init__(self, names: tuple[str, ...], *, resources: Resources | None = None) -> None:
        self.names, self.resources = names, resources
        for name in names:
            KINDS[name][0]()
        self.open: dict[str, Tracker] = {}
        self.warned: set[str] = set()
        self.sent = -1

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Open all of them."""
        self.run, self.ending = run, Ending()
        for name in self.names:
            try:
                self.open[name] = KINDS[name][1](run, recipe, step=step)
            except Exception as error:
                self._warn(name, error)

    def step(self, step: int, values: dict[str, float]) -> None:
        """Losses and rates, and a new reading of the resources."""
        self._scalars("train", step, values)
        latest = self.resources.latest if self.resources else None
        if latest is not None and latest[0] > self.sent:
            self.sent = latest[0]
            self._scalars("resources", step, latest[1])

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Errors on the validation set."""
        self._scalars("validation", step, values)

    def sample(self, step: int, sample: Sample) -> None:
        """The picture that :class:`~surrogate_training.tracking.samples.Samples` has drawn just before."""
        path = sample_path(self.run, step)
        self._all(lambda tracker: tracker.picture(step, path))

    def checkpoint(self, step: int, path: Path) -> None:
        """Remember whether the run came to its end."""
        self.ending.checkpoint(path)

    def close(self) -> None:
        """Close those that were opened."""
        if self.open:
            state = self.ending.state()
            self._all(lambda tracker: tracker.close(state))
            self.open = {}

    def _scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        known = {name: float(v) for name, v in values.items() if math.isfinite(v)}
        self._all(lambda tracker: tracker.scalars(group, step, known))

    def _all(self, call: Callable[[Tracker], None]) -> None:
        for name, tracker in self.open.items():
            try:
                call(tracker)
            except Exception as error:
                self._warn(name, error)

    def _warn(self, name: str, error: Exception) -> None:
        if name not in self.warned:
            LOGGER.warning(
                "%s: %s failed and may miss figures from here on; training goes on and metrics.jsonl has "
                "everything: %s: %s",
                *(self.run.path, name, type(error).__name__, error),
            )
        self.warned.add(name)
