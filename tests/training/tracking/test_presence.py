"""``state.json`` says who works on a run and how it ended, also where the process was killed."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from surrogate_training.callback import Callback
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.ending import Pruned
from surrogate_training.tracking.presence import Presence, alive
from surrogate_training.trainer import DivergedError

Train = Callable[..., RunFolder]


class Raise(Callback):
    """Raises at the first validation."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def validation(self, step: int, values: dict[str, float]) -> None:
        raise self.error


def state(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "state.json").read_text())
    return found


def test_a_run_is_finished_or_stopped(train: Train, tmp_path: Path) -> None:
    train(tmp_path, [Presence()], until=3)
    assert state(tmp_path)["state"] == "stopped"
    train(tmp_path, [Presence()], resume=True)
    found = state(tmp_path)
    assert (found["state"], found["from_step"], found["pid"]) == ("finished", 3, os.getpid())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Pruned("worse"), "pruned"),
        (DivergedError(f"loss {math.nan}"), "diverged"),
        (OSError("disk full"), "failed"),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_an_end_by_an_error_is_told_apart(
    train: Train, tmp_path: Path, error: BaseException, expected: str
) -> None:
    with pytest.raises(type(error)):
        train(tmp_path, [Presence(), Raise(error)])
    assert state(tmp_path)["state"] == expected
    assert not list(tmp_path.rglob("*.partial"))


def test_a_host_that_trains_while_it_handles_an_error_is_not_blamed(
    train: Train, tmp_path: Path
) -> None:
    try:
        raise ValueError("the host's own")
    except ValueError:
        train(tmp_path, [Presence()], until=2)
    assert state(tmp_path)["state"] == "stopped"


def test_a_process_is_alive_only_if_it_is_the_same_one() -> None:
    import socket

    host = socket.gethostname()
    me = {"pid": os.getpid(), "process_began": psutil.Process().create_time(), "host": host}
    assert alive(me) is True
    assert alive({**me, "process_began": me["process_began"] - 60}) is False  # pid used again
    assert alive({**me, "host": "elsewhere"}) is None
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=60)
    assert alive({**me, "pid": child.pid}) is False
    assert alive({"host": host}) is False
