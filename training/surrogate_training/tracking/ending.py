"""How a run ended, for callbacks: the trainer closes them in the same way however that was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from surrogate_training import checkpoint

End = Literal["finished", "stopped", "diverged", "pruned", "failed"]


class Pruned(Exception):  # noqa: N818 - no error: the run was given up on purpose
    """A search gave the run up; raised by a callback, it ends the run in good order."""


class Ending:
    """Watches a run from its beginning, and says at its close how it ended.

    A run whose last checkpoint has been written is ``finished``; otherwise the exception that is under way while
    callbacks are closed tells, and without one the run was ``stopped`` early on purpose.
    """

    def __init__(self) -> None:
        self.around = sys.exception()  # of a host that trains while it handles something else
        self.final = False

    def checkpoint(self, path: Path) -> None:
        """Note a checkpoint."""
        self.final = self.final or path.name == checkpoint.FINAL

    def state(self) -> End:
        """To be asked in ``close``."""
        from surrogate_training.trainer import DivergedError

        error = sys.exception()
        if error is None or error is self.around:
            return "finished" if self.final else "stopped"
        if isinstance(error, Pruned):
            return "pruned"
        if isinstance(error, DivergedError):
            return "diverged"
        return "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
