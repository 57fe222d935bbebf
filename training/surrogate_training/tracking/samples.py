"""Pictures of a validation pair while a run goes on: t1 | t2 | predicted | error, a row a field."""

from __future__ import annotations

import logging
from pathlib import Path

from surrogate_training.callback import Callback, Sample
from surrogate_training.config import Recipe
from surrogate_training.report.collage import draw
from surrogate_training.runfolder import RunFolder

LOGGER = logging.getLogger(__name__)


class Samples(Callback):
    """Writes ``samples/step_000500.png``."""

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Drop pictures of steps that a resumed run does again."""
        self.run, self.name = run, recipe.name
        self.softening = {f.name: f.softening for f in recipe.predicted if f.scaling == "asinh"}
        for path in (run.path / "samples").glob("step_*.png"):
            if path > sample_path(run, step):
                path.unlink()

    def sample(self, step: int, sample: Sample) -> None:
        """Draw one."""
        path = sample_path(self.run, step)
        fields = zip(sample.u1, sample.u2, sample.predicted, strict=True)
        rows = dict(zip(sample.names, fields, strict=True))
        units = dict(zip(sample.names, sample.units, strict=True))
        title = f"{self.name}, step {step}: {sample.where}"
        try:
            path.parent.mkdir(exist_ok=True)
            draw(rows, path, title=title, units=units, softening=self.softening)
        except Exception as error:  # a picture is not worth a run
            LOGGER.warning("%s could not be drawn; training goes on: %s", path, error)


def sample_path(run: RunFolder, step: int) -> Path:
    """Where the picture of a step lies."""
    return run.path / "samples" / f"step_{step:06d}.png"
