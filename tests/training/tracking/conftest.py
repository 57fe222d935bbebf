"""Recipes of a few steps, and runs of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from surrogate_training.callback import Callback
from surrogate_training.runfolder import RunFolder
from surrogate_training.trainer import Trainer

NET = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}


@pytest.fixture
def train(make_recipe: Callable[..., Any], data_root: Path) -> Callable[..., RunFolder]:
    """Train six steps with callbacks, and return the run folder."""

    def run(
        path: Path,
        callbacks: Sequence[Callback],
        *,
        until: int | None = None,
        resume: bool = False,
        **changes: Any,
    ) -> RunFolder:
        settings = {"log_every": 1, "validate_every": 3, "checkpoint_every": 2, "threads": 1}
        recipe = make_recipe(model=NET, optimiser={"steps": 6, "warmup": 2}, run=settings | changes)
        folder = RunFolder(path)
        trainer = Trainer(recipe, folder, root=data_root, resume=resume, callbacks=callbacks)
        trainer.train(until=until)
        return folder

    return run
