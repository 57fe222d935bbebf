"""Trains a recipe and kills itself, as a job is killed: after a step, or while it writes a checkpoint.

``python interrupted.py RECIPE.json RUN ROOT (step|checkpoint) N``
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from surrogate_training.callback import Callback
from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killer(Callback):
    def __init__(self, step: int) -> None:
        self.last = step

    def step(self, step: int, values: dict[str, float]) -> None:
        if step == self.last:
            die()


def die_while_writing(count: int) -> None:
    """Before the ``count``-th checkpoint gets its name."""
    replace = Path.replace
    left = [count]

    def dying(self: Path, target: Path) -> Path:
        left[0] -= target.suffix == ".pt"
        if left[0] == 0:
            die()
        return replace(self, target)

    Path.replace = dying


def main() -> None:
    recipe, run, root, when, number = sys.argv[1:]
    callbacks = [Killer(int(number))] if when == "step" else []
    if when == "checkpoint":
        die_while_writing(int(number))
    parsed = Recipe.model_validate_json(Path(recipe).read_text())
    Trainer(parsed, RunFolder(Path(run)), root=Path(root), callbacks=callbacks).train()


if __name__ == "__main__":
    main()
