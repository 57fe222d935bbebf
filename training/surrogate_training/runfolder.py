"""A run folder: recipe, statistics, environment, metrics and checkpoints of one training run.

By default ``.runs/NAME/TIMESTAMP``, with ``.runs/NAME/latest`` pointing to the newest::

    recipe.json       the validated recipe        metrics.jsonl     a line a logged step and a validation
    statistics.json   of the training set         checkpoints/      last.pt, best.pt, final.pt, diverged.pt
    environment.json  commit, machine, versions   evaluation.json   errors on the test set
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from surrogate.environment.provenance import provenance
from surrogate.whole import write_json, write_text
from surrogate_training import checkpoint
from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.registry import make_generator, make_network
from surrogate_training.models.fields import FieldModel
from surrogate_training.recipe import RecipeError, parse_recipe
from surrogate_training.repository import find_root

PACKAGES = ("surrogate", "torch", "accelerate", "numpy", "h5py", "pydantic", "safetensors")
"""Distributions whose versions are recorded."""

STREAMS = {
    "order": "numpy PCG64 of (seed, 0, epoch)",
    "augmentation and noise": "numpy PCG64 of (seed, 1, epoch, pair)",
    "dropout and method": "torch's default generator, seeded by (seed, 2, step, part of the batch)",
    "noise of a validation": "torch's default generator, seeded by (seed, 3, pair)",
}
"""What random numbers of a run are functions of: recorded beside its seed."""

LATEST = "latest"

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run and what it holds."""

    path: Path

    @property
    def recipe_file(self) -> Path:
        """The validated recipe, as JSON."""
        return self.path / "recipe.json"

    @property
    def statistics_file(self) -> Path:
        """Normalisation statistics."""
        return self.path / "statistics.json"

    @property
    def metrics_file(self) -> Path:
        """Training and validation metrics."""
        return self.path / "metrics.jsonl"

    @property
    def evaluation_file(self) -> Path:
        """Errors on the test trajectories."""
        return self.path / "evaluation.json"

    @property
    def last_checkpoint(self) -> Path:
        """Latest state of training."""
        return self.path / "checkpoints" / checkpoint.LAST

    @property
    def final_checkpoint(self) -> Path:
        """State at the last step."""
        return self.path / "checkpoints" / checkpoint.FINAL

    @property
    def best_checkpoint(self) -> Path:
        """State at the best validation by ``run.best``."""
        return self.path / "checkpoints" / checkpoint.BEST

    def diverged_file(self, process: int) -> Path:
        """The batch that made the loss infinite or not a number, as one of the processes saw it."""
        name = "diverged.pt" if process == 0 else f"diverged-{process}.pt"
        return self.path / "checkpoints" / name

    def begin(
        self, recipe: Recipe, statistics: Statistics, *, root: Path, processes: int = 1
    ) -> None:
        """Create the folder and write what describes the run; ``root`` is what its paths are relative to."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.recipe_file, recipe.model_dump_json(indent=2) + "\n")
        statistics.save(self.statistics_file)
        facts = {
            **provenance(root, packages=PACKAGES),
            "processes": processes,
            "seeds": {"recipe": recipe.seed, **STREAMS},
            "root": str(root),
        }
        self._write_facts(facts)

    def name_latest(self) -> None:
        """Point ``latest`` beside the folder to it: what ``--resume`` takes, and :func:`open_run`."""
        fresh = self.path.with_name(f".{self.path.name}.{LATEST}")
        fresh.symlink_to(self.path.name)
        fresh.replace(self.path.with_name(LATEST))

    def resume(self, recipe: Recipe, *, root: Path) -> None:
        """Note that the run goes on, and at which commit; what it began with stays on record."""
        write_text(self.recipe_file, recipe.model_dump_json(indent=2) + "\n")
        here = provenance(root, packages=PACKAGES)
        again = {key: here[key] for key in ("date", "commit", "cpu", "torch")}
        facts = self._facts()
        self._write_facts(
            {**facts, "root": str(root), "resumed": [*facts.get("resumed", []), again]}
        )

    def _write_facts(self, facts: dict[str, Any]) -> None:
        write_json(self.path / "environment.json", facts)

    def recipe(self) -> Recipe:
        """Read the recipe back."""
        if not self.recipe_file.is_file():
            raise FileNotFoundError(f"{self.path} is not a run folder: it has no recipe.json")
        return parse_recipe(json.loads(self.recipe_file.read_text()), where=str(self.recipe_file))

    def statistics(self) -> Statistics:
        """Read the statistics back."""
        return Statistics.load(self.statistics_file)

    def environment(self) -> dict[str, Any]:
        """Read the environment of the training back: what may be published, so without paths of the machine."""
        return {key: value for key, value in self._facts().items() if key != "root"}

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.path / "environment.json").read_text())
        return facts

    def root(self) -> Path:
        """What the recipe's paths are relative to: as at training if that is still there."""
        recorded = Path(self._facts().get("root", ""))
        if recorded.is_absolute() and (recorded / self.recipe().data.path).is_dir():
            return recorded
        return find_root(self.path)

    def check_resumable(self, recipe: Recipe, *, step: int) -> None:
        """Refuse to continue a run at ``step`` under another recipe.

        The section ``run`` may differ, early stopping, and ``optimiser.steps`` while both have a constant learning
        rate.

        Raises
        ------
        RecipeError
            Naming the first difference.
        """
        old = json.loads(self.recipe().model_dump_json(exclude={"run"}))
        new = json.loads(recipe.model_dump_json(exclude={"run"}))
        constant = old["optimiser"]["schedule"] == new["optimiser"]["schedule"] == "constant"
        if constant or step <= recipe.optimiser.hold == old["optimiser"]["hold"]:
            old["optimiser"]["steps"] = new["optimiser"]["steps"]
        old["optimiser"]["early_stopping"] = new["optimiser"]["early_stopping"]
        for key in _differences(old, new):
            raise RecipeError(
                f"{self.path} was trained with another {key}: resume with the recipe that it was begun "
                "with, or train into another folder"
            )

    def model(self, which: str | None = None) -> tuple[FieldModel, int]:
        """The averaged generator in eval mode, and its step.

        Parameters
        ----------
        which : {"last", "best", "final"}, optional
            Checkpoint to take; default: the final one if the run has ended, else the last.
        """
        return self._loaded(make_generator, which)

    def network(self, which: str | None = None) -> tuple[nn.Module, int]:
        """The averaged network, a generator or not; else as :meth:`model`."""
        return self._loaded(make_network, which)

    def _loaded(
        self, make: Callable[[Recipe, Statistics], Net], which: str | None
    ) -> tuple[Net, int]:
        path = self.path / "checkpoints" / f"{which}.pt" if which else checkpoint.latest(self.path)
        network = make(self.recipe(), self.statistics())
        state = checkpoint.load(path)
        network.load_state_dict(state.average)
        return network.eval().requires_grad_(False), state.step


def new_run(experiment: Path) -> RunFolder:
    """Make ``experiment/TIMESTAMP`` (UTC)."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S")
    names = (stamp, *(f"{stamp}_{n}" for n in range(2, 100)))  # several may begin in one second
    path = next(experiment / name for name in names if not (experiment / name).exists())
    path.mkdir(parents=True)
    return RunFolder(path)


def latest_run(experiment: Path) -> RunFolder:
    """The newest run of an experiment.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    link = experiment / LATEST
    if not link.is_dir():
        raise FileNotFoundError(
            f"{experiment} holds no run to resume: start one without --resume, or name its folder by --out"
        )
    return RunFolder(link.resolve())


def open_run(path: str | os.PathLike[str]) -> RunFolder:
    """Open an existing run folder, or the newest run of an experiment's folder."""
    run = RunFolder(Path(path))
    if not run.recipe_file.is_file() and (run.path / LATEST).is_dir():
        run = latest_run(run.path)
    run.recipe()
    return run


def set_threads(threads: int) -> None:
    """Set torch's threads: a program of our own may, a library in a solver must not."""
    torch.set_num_threads(threads)


def _differences(old: object, new: object, where: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(set(old) | set(new))
        inner = [_differences(old.get(k), new.get(k), f"{where}.{k}".lstrip(".")) for k in keys]
        return [key for keys_ in inner for key in keys_]
    return [] if old == new else [f"{where} ({old!r} → {new!r})"]
