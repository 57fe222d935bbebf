"""What a run folder says about its run at this moment."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from surrogate_training.config import Recipe
from surrogate_training.runfolder import open_run
from surrogate_training.tracking.presence import STATE, alive
from surrogate_training.watch.records import Record, Tail

SILENCE = (
    10  # a run elsewhere counts as stopped after so many times the usual pause between records
)
LATELY = 20  # records that the present pace is taken from
NOT_LOSSES = {
    "kind",
    "step",
    "norm",
    "lr",
    "s/step",
}  # also those of further networks: discriminator.lr

Curve = list[tuple[int, float]]
"""(step, value), in order."""


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment.

    Attributes
    ----------
    state : str
        ``running``, ``finished``, ``stopped``, ``diverged``, ``pruned``, ``failed``, or ``waiting``: not begun.
    why : str
        What `state` was concluded from.
    seconds_left : float or None
        By the present seconds a step.
    losses, validations : dict of str to Curve
        By name; of validations as the recipe's metrics are named.
    best : (step, value) or None
        Best validation by the recipe's ``run.best``.
    resources : dict
        The last reading.
    checkpoint_age : float or None
        Seconds since the last checkpoint was written.
    """

    path: str
    name: str
    state: str
    why: str
    step: int
    steps: int
    seconds_left: float | None
    metric: str
    learning_rate: float | None
    best: tuple[int, float] | None
    losses: dict[str, Curve] = field(default_factory=dict)
    validations: dict[str, Curve] = field(default_factory=dict)
    resources: dict[str, float] = field(default_factory=dict)
    checkpoint_age: float | None = None
    record_age: float | None = None


class Watcher:
    """Looks at a run folder, or the newest run of an experiment's folder, again and again.

    Raises
    ------
    FileNotFoundError
        If the folder is none of a run.
    """

    def __init__(self, path: Path) -> None:
        self.run = open_run(path)
        self.recipe: Recipe = self.run.recipe()
        self.tail = Tail(self.run.metrics_file)

    def look(self) -> Snapshot:
        """The run now."""
        records = self.tail.read()
        train = [r for r in records if r["kind"] == "train"]
        checks = [r for r in records if r["kind"] == "validation"]
        readings = [r for r in records if r["kind"] == "resources"]
        steps = self.recipe.optimiser.steps
        step = max((r["step"] for r in records), default=0)
        state, why = self._state(train)
        last = train[-1] if train else {}
        pace = usual_pace(train)
        running = state == "running" and pace is not None
        return Snapshot(
            path=str(self.run.path),
            name=self.recipe.name,
            state=state,
            why=why,
            step=step,
            steps=steps,
            seconds_left=pace * (steps - step) if running and pace is not None else None,
            metric=self.recipe.run.best,
            learning_rate=last.get("lr"),
            best=best(checks, self.recipe.run.best),
            losses=curves(train, leave_out=NOT_LOSSES),
            validations=curves(checks, leave_out={"kind", "step"}),
            resources={k: v for k, v in readings[-1].items() if k not in {"kind", "step"}}
            if readings
            else {},
            checkpoint_age=_age(self.run.last_checkpoint),
            record_age=_age(self.run.metrics_file),
        )

    def _state(self, train: list[Record]) -> tuple[str, str]:
        facts = read_state(self.run.path)
        if facts is None:
            if self.run.final_checkpoint.is_file():
                return "finished", "its final checkpoint is there"
            return ("stopped", f"no {STATE}") if train else ("waiting", f"no {STATE}, no records")
        said = str(facts.get("state"))
        if said != "running":
            return said, f"since {facts.get('ended')}"
        living, where = alive(facts), f"process {facts.get('pid')} on {facts.get('host')}"
        if living is None:
            return self._elsewhere(train, where)
        return ("running", where) if living else ("stopped", f"{where} is gone: it was killed")

    def _elsewhere(self, train: list[Record], where: str) -> tuple[str, str]:
        """A run on another machine: by how long its records have been silent."""
        age, run = _age(self.run.metrics_file), self.recipe.run
        pause = (usual_pace(train) or 0.0) * run.log_every
        limit = max(120.0, SILENCE * pause)
        if age is None or age < limit:
            return "running", where
        return "stopped", f"{where}: no record for {age:.0f} s"


def read_state(run: Path) -> dict[str, Any] | None:
    """``state.json`` of a run, or None."""
    try:
        facts = json.loads((run / STATE).read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def usual_pace(train: list[Record]) -> float | None:
    """Seconds a step lately: a median, since single figures jump where a machine is shared."""
    paces = [r["s/step"] for r in train[-LATELY:] if _finite(r.get("s/step"))]
    return float(median(paces)) if paces else None


def best(validations: list[Record], metric: str) -> tuple[int, float] | None:
    """(step, value) of the best validation by ``run.best``: ``-NAME`` is best where NAME is largest."""
    name = metric.removeprefix("-")
    sign = -1.0 if metric.startswith("-") else 1.0
    found = [(sign * r[name], r["step"]) for r in validations if _finite(r.get(name))]
    if not found:
        return None
    value, step = min(found)
    return step, sign * value


def curves(records: list[Record], *, leave_out: set[str]) -> dict[str, Curve]:
    """Every number of the records over the steps, by name."""
    made: dict[str, Curve] = {}
    for record in records:
        for name, value in record.items():
            if name.rpartition(".")[2] not in leave_out and isinstance(value, int | float):
                made.setdefault(name, []).append((record["step"], float(value)))
    return made


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _age(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return None
