"""``state.json``: which process works on a run, and how the run ended."""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from surrogate.whole import write_json
from surrogate_training.callback import Callback
from surrogate_training.config import Recipe
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.ending import Ending

STATE = "state.json"
LOGGER = logging.getLogger(__name__)


class Presence(Callback):
    """Keeps ``state.json``; a process that is killed leaves ``running`` behind, and :func:`alive` tells the truth."""

    def __init__(self) -> None:
        self.path: Path | None = None

    def begin(self, run: RunFolder, recipe: Recipe, *, step: int) -> None:
        """Say who works here."""
        self.path, self.ending = run.path / STATE, Ending()
        process = psutil.Process()
        self.facts: dict[str, Any] = {
            "state": "running",
            "pid": process.pid,
            "process_began": process.create_time(),  # a number may be given again to another process
            "host": socket.gethostname(),
            "began": _now(),
            "from_step": step,
        }
        self._write()

    def checkpoint(self, step: int, path: Path) -> None:
        """Remember whether the run came to its end."""
        self.ending.checkpoint(path)

    def close(self) -> None:
        """Say how it ended."""
        if self.path is not None:
            self.facts |= {"state": self.ending.state(), "ended": _now()}
            self._write()

    def _write(self) -> None:
        assert self.path is not None
        try:
            write_json(self.path, self.facts)
        except OSError as error:  # a full disk: the checkpoints will say so
            LOGGER.warning("%s could not be written: %s", self.path, error)


def alive(facts: dict[str, Any]) -> bool | None:
    """Whether the process of a ``state.json`` still runs; None where it runs, or ran, on another machine."""
    if facts.get("host") != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(facts["pid"]))
        same = abs(process.create_time() - float(facts["process_began"])) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError, ValueError):
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
