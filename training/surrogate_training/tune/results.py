"""What came of a search: a table (CSV), the best recipe (YAML)."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from surrogate.whole import write_text, written_whole
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.space import Values

State = Literal["complete", "pruned", "failed"]
TABLE, BEST, PLOT = "trials.csv", "best.yaml", "trials.png"


@dataclass(frozen=True)
class Result:
    """One trial.

    Attributes
    ----------
    state : {"complete", "pruned", "failed"}
        ``failed``: it diverged, or its values do not fit each other; `error` says what.
    value : float or None
        Best validation of a complete trial, last one of a pruned trial; None where there was none.
    values : dict
        By the recipe's keys.
    folder : str
        Name of its run folder in ``trials/``.
    """

    number: int
    state: State
    value: float | None
    values: Values = field(default_factory=dict)
    seconds: float = 0.0
    folder: str = ""
    error: str = ""


def best_of(results: list[Result], *, largest: bool) -> Result | None:
    """The best complete trial."""
    complete = [(r.value, r) for r in results if r.state == "complete" and r.value is not None]
    if not complete:
        return None
    return (max if largest else min)(complete, key=lambda pair: pair[0])[1]


def write_results(results: list[Result], objective: Objective, out: Path) -> Result | None:
    """Write ``trials.csv``, and where a trial is complete ``best.yaml``; return the best trial."""
    keys = list(objective.space.space)
    with written_whole(out / TABLE) as partial, partial.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["trial", "state", objective.metric, "seconds", *keys, "folder", "reason"])
        for r in results:
            cells = [text(r.values.get(key, "")) for key in keys]
            value = "" if r.value is None else repr(r.value)
            rows.writerow([r.number, r.state, value, f"{r.seconds:.1f}", *cells, r.folder, r.error])
    found = best_of(results, largest=objective.largest)
    if found is not None:
        _write_recipe(found, objective, out)
    return found


def text(value: Any) -> str:
    """A value in a table: numbers and names as they are, lists and sections as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _write_recipe(found: Result, objective: Objective, out: Path) -> None:
    recipe = objective.build(found.values)
    # what the recipe and the search have set, without the presets of everything else
    tree = recipe.model_dump(mode="json", exclude_unset=True)
    head = f"# trial {found.number} of a search: {objective.metric} {found.value!r}, run folder trials/{found.folder}\n"
    write_text(out / BEST, head + yaml.safe_dump(tree, sort_keys=False, width=100))
