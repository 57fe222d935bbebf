"""What a run tells those who follow it: progress on a terminal, trackers, resource meters, pictures.

The trainer calls every method in the main process alone, in the thread that trains; a callback must not change the
model or draw from torch's or numpy's global generators. What it raises ends the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from surrogate_training.config import Recipe
    from surrogate_training.runfolder import RunFolder

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """A validation pair as the averaged generator sees it, in physical units.

    Attributes
    ----------
    names, units : tuple of str
        Of the predicted fields.
    u1, u2, predicted : ndarray, shape (P, ny, nx), float32
        The predicted fields at t1, at t2, and what the generator makes of t1.
    where : str
        File and frame of t1.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    u1: Array
    u2: Array
    predicted: Array
    where: str


class Callback:
    """Follows a run; each method does nothing until a subclass says what."""

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Call once, before the first step: ``step`` is 0, or where a resumed run goes on."""

    def step(self, step: int, values: dict[str, float]) -> None:
        """Call every ``run.log_every`` steps with losses, their parts, norms, rates and ``s/step``."""

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Call after a validation, with ``error`` and the error of each field."""

    def sample(self, step: int, sample: Sample) -> None:
        """Call every ``run.samples_every`` steps."""

    def checkpoint(self, step: int, path: Path) -> None:
        """Call when a checkpoint has been written: ``last.pt``, ``best.pt`` or ``final.pt``."""

    def close(self) -> None:
        """Call at the end, also when the run fails; a callback may be closed before it began."""
