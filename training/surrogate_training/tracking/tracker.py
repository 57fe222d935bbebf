"""What a tracker is: a copy of a run's figures for a tool that people already look at. ``metrics.jsonl`` stays."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Protocol

from surrogate.whole import write_json
from surrogate_training.config import Recipe
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder

IDENTITIES = "trackers.json"


class Tracker(Protocol):
    """Receives a run's figures; may fail, see :class:`~surrogate_training.tracking.trackers.Trackers`."""

    def scalars(self, group: str, step: int, values: dict[str, float]) -> None:
        """Numbers of a `group`: ``train``, ``validation`` or ``resources``."""

    def picture(self, step: int, path: Path) -> None:
        """A sample picture, PNG."""

    def close(self, state: str) -> None:
        """Say how the run ended: ``finished``, ``stopped``, ``diverged``, ``pruned`` or ``failed``."""


def need(name: str, module: str, package: str) -> Any:
    """Import what a tracker is made of.

    Raises
    ------
    RecipeError
        Where it is not installed, with what to do.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RecipeError(
            f"run.trackers: {name} needs the package {package}, which cannot be imported ({error}): install "
            f"the extra surrogate[trackers], or take {name} out of run.trackers"
        ) from error


def settings(recipe: Recipe) -> dict[str, str | int | float | bool]:
    """A recipe as flat dotted keys, as trackers show it in tables."""
    flat: dict[str, str | int | float | bool] = {}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{prefix}.{key}".lstrip("."), inner)
        elif value is not None:
            flat[prefix] = value if isinstance(value, str | int | float) else json.dumps(value)

    add("", recipe.model_dump(mode="json"))
    return flat


class Identities:
    """Under which names trackers know a run, kept in its folder so that a resumed run goes on in the same place."""

    def __init__(self, run: RunFolder) -> None:
        self.path = run.path / IDENTITIES

    def get(self, tracker: str) -> str | None:
        """The name that a tracker gave, or None."""
        found = json.loads(self.path.read_text()) if self.path.is_file() else {}
        return found.get(tracker)

    def set(self, tracker: str, identity: str) -> None:
        """Keep a name."""
        found = json.loads(self.path.read_text()) if self.path.is_file() else {}
        write_json(self.path, {**found, tracker: identity})
