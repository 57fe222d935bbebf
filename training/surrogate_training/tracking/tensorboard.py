"""TensorBoard: event files in the run folder; ``tensorboard --logdir RUN`` shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.tracker import need, settings


def load() -> Any:
    """The module, or an error that says what to install."""
    return need("tensorboard", "torch.utils.tensorboard", "tensorboard")


class TensorBoard:
    """Writes to ``RUN/tensorboard``; what a resumed run does again replaces what was there."""

    def __init__(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        folder = str(run.path / "tensorboard")
        self.writer = load().SummaryWriter(folder, purge_step=step + 1 if step else None)
        if step == 0:
            rows = "".join(f"| {key} | {value} |\n" for key, value in settings(recipe).items())
            self.writer.add_text("recipe", f"| key | value |\n|---|---|\n{rows}", 0)

    def scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        """Tags ``GROUP/NAME``."""
        for name, value in values.items():
            self.writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, step: int, path: Path) -> None:
        """Under the tag ``samples``."""
        from matplotlib.image import imread

        self.writer.add_image("samples", imread(path)[..., :3], step, dataformats="HWC")

    def close(self, state: str) -> None:
        """Write what is pending."""
        self.writer.close()
