"""Resource use of a run: readings into ``metrics.jsonl``, and their sums into ``resources.json`` for the ledger."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from surrogate.whole import write_json
from surrogate_training.callback import Callback
from surrogate_training.config import Recipe
from surrogate_training.progress import append_record
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.meter import Meter, as_record, summarise

RESOURCES = "resources.json"
INTERVAL = 10.0  # seconds
LOGGER = logging.getLogger(__name__)


class Resources(Callback):
    """Reads in a thread of its own, every `interval` seconds and once at the end; nothing of it touches the training.

    A reading that fails is told once in the log, and ends the readings, not the run.
    """

    def __init__(self, *, interval: float = INTERVAL) -> None:
        self.interval = interval
        self.latest: tuple[int, dict[str, float]] | None = None
        self.done = threading.Event()
        self.thread: threading.Thread | None = None

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Start to measure."""
        self.run, self.at = run, step
        self.earlier = read_sessions(run.path) if step else []
        self.done.clear()
        try:
            self.meter = Meter(recipe.run.device, step=step)
        except Exception as error:  # the run must not end for want of a reading
            LOGGER.warning("%s: resource use cannot be read: %s", run.path, error)
            return
        self.thread = threading.Thread(target=self._work, name="resources", daemon=True)
        self.thread.start()

    def step(self, step: int, values: dict[str, float]) -> None:
        """Note where the run is."""
        self.at = step

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Note where the run is."""
        self.at = step

    def checkpoint(self, step: int, path: Path) -> None:
        """Note where the run is."""
        self.at = step

    def close(self) -> None:
        """Take the last reading and write the sums."""
        if self.thread is not None:
            self.done.set()
            self.thread.join()
            self.thread = None

    def _work(self) -> None:
        try:
            while not self.done.wait(self.interval):
                self._read()
            self._read()
        except Exception as error:  # a full disk above all: the training itself will say so better
            LOGGER.warning("%s: resource use is no longer read: %s", self.run.path, error)

    def _read(self) -> None:
        step = self.at
        values = self.meter.read(step)
        self.latest = (step, values)
        append_record(self.run.metrics_file, {"kind": "resources", "step": step, **values})
        sessions = [*self.earlier, as_record(self.meter.session)]
        write_json(self.run.path / RESOURCES, summarise(sessions))


def read_resources(run: Path) -> dict[str, Any] | None:
    """Sums of a run's resource use (see :func:`~surrogate_training.tracking.meter.summarise`), or None."""
    path = run / RESOURCES
    return json.loads(path.read_text()) if path.is_file() else None


def read_sessions(run: Path) -> list[dict[str, Any]]:
    """The sessions of a run so far."""
    found = read_resources(run)
    return found["sessions"] if found else []
