"""From recipes to bundles, each step a command that a user would type; done ones are not repeated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from problems import METHODS, Problem

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "training" / "recipes"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """One training: a method on a problem from one seed.

    Attributes
    ----------
    problem : Problem
    method : str
    seed : int
    runs : Path
        Folder of runs and bundles.
    """

    problem: Problem
    method: str
    seed: int
    runs: Path

    @property
    def name(self) -> str:
        """Of its folders; seed 0's are the recipe's own."""
        recipe = self.problem.recipe(self.method)
        return f"{recipe}_seed{self.seed}" if self.seed else recipe

    @property
    def run(self) -> Path:
        """The training run."""
        return self.runs / self.name

    @property
    def bundle(self) -> Path:
        """What was exported from it."""
        return self.runs / f"{self.name}.surrogate"

    @property
    def is_trained(self) -> bool:
        """Whether the run has come to its end."""
        return (self.run / "checkpoints" / "final.pt").is_file()


def trainings(problem: Problem, seed: int, runs: Path) -> list[Trained]:
    """All of a problem, those that others begin from first."""
    starts = dict.fromkeys(problem.starts.values())
    return [Trained(problem, method, seed, runs) for method in (*starts, *METHODS)]


def make(one: Trained, report: Report) -> None:
    """Train, or go on training, and export."""
    if not one.is_trained:
        _run(_surrogate("train", *arguments(one)), report)
    if one.method in METHODS and not (one.bundle / "manifest.json").is_file():
        _run(_surrogate("export", one.run, "--out", one.bundle), report)


def arguments(one: Trained) -> list[object]:
    """Of ``surrogate train``."""
    changes = [f"seed={one.seed}"] if one.seed else []
    if one.method in one.problem.starts:
        start = Trained(one.problem, one.problem.starts[one.method], one.seed, one.runs).run
        changes.append(f"method.start={start}")
    recipe = RECIPES / f"{one.problem.recipe(one.method)}.yaml"
    options = [option for change in changes for option in ("--set", change)]
    return [recipe, "--out", one.run, "--resume", *options]


def make_all(problems: Iterable[Problem], seeds: int, runs: Path, report: Report) -> None:
    """Every training, one after another: all methods from seed 0 first."""
    for seed in range(seeds):
        for problem in problems:
            for one in trainings(problem, seed, runs):
                make(one, report)


def _surrogate(*arguments: object) -> list[object]:
    return [Path(sys.executable).with_name("surrogate"), *arguments]


def _run(command: Sequence[object], report: Report) -> None:
    words = [str(word) for word in command]
    report(" ".join(words))
    done = subprocess.run(words, cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{words[1]} failed with status {done.returncode}; see above")
