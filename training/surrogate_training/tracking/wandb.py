"""Weights & Biases: offline in the run folder unless a key is given; ``wandb sync`` uploads it later."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.tracker import Identities, need


def load() -> Any:
    """The module, or an error that says what to install."""
    return need("wandb", "wandb", "wandb")


def mode() -> str:
    """``WANDB_MODE`` if it is set; else online with ``WANDB_API_KEY``, offline without."""
    preset = "online" if os.environ.get("WANDB_API_KEY") else "offline"
    return os.environ.get("WANDB_MODE") or preset


class WandB:
    """A run of W&B, in the project ``surrogate`` or that of ``WANDB_PROJECT``."""

    def __init__(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        self.wandb = load()
        names = Identities(run)
        identity = (names.get("wandb") if step else None) or uuid4().hex[:12]
        names.set("wandb", identity)
        self.run = self.wandb.init(
            project=os.environ.get("WANDB_PROJECT", "surrogate"),
            name=f"{recipe.name} {run.path.name}",
            id=identity,
            resume="allow",
            dir=str(run.path),
            config=recipe.model_dump(mode="json"),
            mode=mode(),
            settings=self.wandb.Settings(silent=True),
        )
        # its own counter never goes back, and a resumed run may
        self.run.define_metric("*", step_metric="step")

    def scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        """Names ``GROUP/NAME`` over ``step``."""
        self.run.log({"step": step, **{f"{group}/{name}": v for name, v in values.items()}})

    def picture(self, step: int, path: Path) -> None:
        """Under the name ``samples``."""
        self.run.log({"step": step, "samples": self.wandb.Image(str(path))})

    def close(self, state: str) -> None:
        """End the run; one that did not finish counts as failed there."""
        self.run.summary["state"] = state
        self.run.finish(exit_code=0 if state == "finished" else 1)
