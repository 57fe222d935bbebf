"""What a surrogate costs, and after how many jumps it has paid for itself."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.environment.machine import allowed_cores, cpu_model
from surrogate_training.evaluation.result import Result
from surrogate_training.generate import MARKER
from surrogate_training.runfolder import RunFolder

FORMULA = "N* = (data + training) / (solver's jump - surrogate's jump), in seconds; never where the solver is faster"


@dataclass(frozen=True)
class Ledger:
    """Costs; None where nothing was measured or recorded.

    Attributes
    ----------
    data_seconds, training_seconds, training_kwh : float, optional
        Paid once.
    surrogate_seconds : float
        Median of a whole call, guards included, measured here.
    surrogate_spread : (float, float)
        Its quartiles.
    solver_seconds : float, optional
        Of one jump of the solver, as the data's files tell (attribute ``seconds_per_jump``) or the user.
    coarse_seconds : float, optional
        Of one jump of the coarse solver.
    machine : str
        Where the surrogate was timed.
    """

    data_seconds: float | None
    training_seconds: float | None
    training_kwh: float | None
    surrogate_seconds: float
    surrogate_spread: tuple[float, float]
    solver_seconds: float | None
    coarse_seconds: float | None
    machine: str

    @property
    def break_even(self) -> int | str | None:
        """Jumps after which data and training are paid back, ``never``, or None where a cost is not known."""
        if self.solver_seconds is None:
            return None
        saved = self.solver_seconds - self.surrogate_seconds
        if saved <= 0:
            return "never"
        if self.data_seconds is None or self.training_seconds is None:
            return None
        return math.ceil((self.data_seconds + self.training_seconds) / saved)

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "data_seconds": self.data_seconds,
            "training_seconds": self.training_seconds,
            "training_kwh": self.training_kwh,
            "surrogate_seconds_per_jump": self.surrogate_seconds,
            "surrogate_quartiles": list(self.surrogate_spread),
            "solver_seconds_per_jump": self.solver_seconds,
            "coarse_seconds_per_jump": self.coarse_seconds,
            "machine": self.machine,
            "break_even_jumps": self.break_even,
            "formula": FORMULA,
        }


def make_ledger(
    result: Result,
    *,
    run: RunFolder | None = None,
    data: Path | None = None,
    data_seconds: float | None = None,
    solver_seconds: float | None = None,
) -> Ledger:
    """Gather the costs.

    Parameters
    ----------
    result : Result
        Its timings.
    run : RunFolder, optional
        The training: ``resources.json``, else the time of its steps in ``metrics.jsonl``.
    data : Path, optional
        Folder of the training data: ``generated.json`` may tell how long it took.
    data_seconds, solver_seconds : float, optional
        Replace what the data's files tell.
    """
    low, middle, high = np.quantile(result.seconds, [0.25, 0.5, 0.75])
    seconds, kwh = (None, None) if run is None else _training(run)
    return Ledger(
        _generation(data) if data_seconds is None else data_seconds,
        seconds,
        kwh,
        float(middle),
        (float(low), float(high)),
        result.solver_seconds if solver_seconds is None else solver_seconds,
        result.coarse_seconds,
        f"{cpu_model()}, {allowed_cores()} cores, load average {os.getloadavg()[0]:.1f}",
    )


def _generation(data: Path | None) -> float | None:
    marker = None if data is None else data / MARKER
    if marker is None or not marker.is_file():
        return None
    return _number(json.loads(marker.read_text()).get("seconds"))


def _training(run: RunFolder) -> tuple[float | None, float | None]:
    """Seconds and kWh."""
    from surrogate_training.tracking.resources import read_resources

    found = read_resources(run.path)
    if found is not None:
        return _number(found.get("seconds")), _number(found.get("kwh"))
    return _stepped(read_metrics(run)), None


def _stepped(records: list[dict[str, Any]]) -> float | None:
    """Time of all steps from the mean that each record tells; validation and checkpoints are not in it."""
    total, before = 0.0, 0
    for record in records:
        if record.get("kind") == "train" and "s/step" in record:
            total += (record["step"] - before) * record["s/step"]
            before = record["step"]
    return total or None


def read_metrics(run: RunFolder) -> list[dict[str, Any]]:
    """The records of a run's ``metrics.jsonl``, whole lines alone."""
    from surrogate_training.watch.records import Tail

    return Tail(run.metrics_file).read()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
