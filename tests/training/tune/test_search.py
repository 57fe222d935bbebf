"""Searches with Optuna: trials are run folders, a stop loses nothing that had ended, hopeless trials are given up."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer
import yaml
from surrogate_training.cli.tune import tune
from surrogate_training.recipe import RecipeError, load_recipe
from surrogate_training.runfolder import open_run
from surrogate_training.trainer import DivergedError
from surrogate_training.tune.objective import Intermediate, Objective
from surrogate_training.tune.optuna_backend import JOURNAL
from surrogate_training.tune.results import Result, best_of
from surrogate_training.tune.search import run_search
from typer.testing import CliRunner

pytest.importorskip("optuna", reason="the package optuna (extra [tune]) is not installed")

Make = Callable[..., Objective]


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture takes longer than a trial."""
    monkeypatch.setattr("surrogate_training.tune.search.draw_search", lambda *args: None)


def table(out: Path) -> list[dict[str, str]]:
    with (out / "trials.csv").open() as stream:
        return list(csv.DictReader(stream))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_search_leaves_run_folders_a_table_a_picture_and_the_best_recipe(
    write_space: Callable[..., Path], data_root: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    app.command()(tune)
    out = tmp_path / "out"
    args = [str(write_space()), "--out", str(out), "--root", str(data_root), "--trials"]
    done = CliRunner().invoke(app, [*args, "3", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    rows = table(out)
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert [float(row["error"]) for row in rows] == [t["value"] for t in found["trials"]]
    best = min(found["trials"], key=lambda t: t["value"])
    assert found["best"] == best
    run = open_run(out / "trials" / best["folder"])
    # the best recipe is the one that was trained, and a recipe
    assert load_recipe(out / "best.yaml") == run.recipe()
    validations = [
        r["error"]
        for r in map(json.loads, run.metrics_file.read_text().splitlines())
        if r["kind"] == "validation"
    ]
    assert best["value"] == min(validations)
    assert json.loads((run.path / "state.json").read_text())["state"] == "finished"
    assert (out / "trials.png").stat().st_size > 10_000
    # what is there is not searched again, and not overwritten by mistake
    shown = CliRunner().invoke(app, [*args, "3", "--resume"])
    assert shown.output.count("complete") == 3
    assert f"trial {best['number']}" in shown.output
    refused = CliRunner().invoke(app, [*args, "3"])
    assert (refused.exit_code, "already holds a search" in refused.output) == (2, True)


@pytest.mark.usefixtures("no_picture")
def test_a_stopped_search_goes_on_where_it_was(make_objective: Make, tmp_path: Path) -> None:
    whole = run_search(make_objective(tmp_path / "whole"), trials=3)
    parts = make_objective(tmp_path / "parts")
    trial = Stop(at=(1, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Intermediate, "validation", trial.validation)
        with pytest.raises(KeyboardInterrupt):
            run_search(parts, trials=3)
    first = files(parts.out / "trials" / "trial_0000")
    resumed = run_search(parts, trials=3, resume=True)
    assert files(parts.out / "trials" / "trial_0000") == first
    # the stopped trial went on from its checkpoint, in its folder
    assert "resumed" in open_run(parts.out / "trials" / "trial_0001").environment()
    assert [r.folder for r in resumed] == ["trial_0000", "trial_0001", resumed[2].folder]
    assert len(list((parts.out / "trials").iterdir())) == 3
    # and nothing tells that there was a stop: the same proposals, the same results
    assert [(r.values, r.value) for r in resumed] == [(r.values, r.value) for r in whole]


class Stop:
    """Ends the process, as far as a test can, at a step of a trial."""

    def __init__(self, *, at: tuple[int, int]) -> None:
        self.at, self.trial = at, -1

    def validation(self, step: int, values: dict[str, float]) -> None:
        self.trial += step == 2
        if (self.trial, step) == self.at:
            raise KeyboardInterrupt


@pytest.mark.full
def test_a_killed_search_goes_on(
    write_space: Callable[..., Path], data_root: Path, tmp_path: Path
) -> None:
    out, space = tmp_path / "out", write_space(set={"optimiser.steps": 60})
    code = (
        "import typer; from surrogate_training.cli.tune import tune; a = typer.Typer();"
        "a.command()(tune); a()"
    )
    command = [sys.executable, "-P", "-c", code, str(space), "--out", str(out), "--trials", "3"]
    command += ["--root", str(data_root)]
    killed = subprocess.Popen(command)
    second, deadline = out / "trials" / "trial_0001" / "checkpoints" / "last.pt", time.time() + 120
    while not second.is_file() and killed.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(timeout=60)
    first = files(out / "trials" / "trial_0000")
    subprocess.run([*command, "--resume"], check=True, timeout=240)
    rows = table(out)
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert [row["folder"] for row in rows][:2] == ["trial_0000", "trial_0001"]
    assert files(out / "trials" / "trial_0000") == first


def test_two_processes_do_not_train_the_same_trial(
    make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective, launcher = make_objective(tmp_path / "out"), psutil.Process(os.getppid())
    folder = objective.out / "trials" / "trial_0000"

    def train(values: dict[str, Any], name: str, report: Any) -> float:
        folder.mkdir(parents=True)
        facts = {"state": "running", "pid": launcher.pid, "host": socket.gethostname()}
        facts["process_began"] = launcher.create_time()
        (folder / "state.json").write_text(json.dumps(facts))
        raise KeyboardInterrupt

    monkeypatch.setattr(objective, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run_search(objective, trials=1)
    with pytest.raises(RecipeError, match=rf"another search .*process {launcher.pid}"):
        run_search(objective, trials=1, resume=True)


def test_another_space_is_not_mixed_into_a_search(make_objective: Make, tmp_path: Path) -> None:
    objective = make_objective(tmp_path / "out")
    objective.out.mkdir()
    (objective.out / "search.json").write_text(objective.describe())
    other = make_objective(tmp_path / "out", seed=7)
    with pytest.raises(RecipeError, match="another space or recipe"):
        run_search(other, trials=1, resume=True)


@pytest.mark.usefixtures("no_picture")
def test_hopeless_trials_are_given_up_and_leave_a_clean_run_folder(
    make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = make_objective(tmp_path / "out", pruning={"kind": "median", "startup": 1})
    original, seen = Intermediate.validation, []

    def worse(self: Intermediate, step: int, values: dict[str, float]) -> None:
        seen.append(step)
        original(self, step, {"error": float(len(seen))})  # 1, 2, 3, then ever larger

    monkeypatch.setattr(Intermediate, "validation", worse)
    threads = threading.active_count()
    results = run_search(objective, trials=3)
    assert [r.state for r in results] == ["complete", "pruned", "pruned"]
    assert seen == [2, 4, 6, 2, 2]  # at its first validation
    run = open_run(objective.out / "trials" / results[1].folder)
    assert json.loads((run.path / "state.json").read_text())["state"] == "pruned"
    assert run.metrics_file.read_text().endswith("\n")
    assert not list(objective.out.rglob("*.partial"))
    assert threading.active_count() == threads
    assert best_of(results, largest=False) == results[0]


@pytest.mark.usefixtures("no_picture")
def test_values_that_do_not_train_are_noted_and_the_search_goes_on(
    make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = make_objective(tmp_path / "out")
    errors: list[Any] = [DivergedError("loss is nan"), ValueError("does not fit"), None]

    def train(values: dict[str, Any], folder: str, report: Any) -> float:
        error = errors.pop(0)
        if error is not None:
            raise error
        return 0.25

    monkeypatch.setattr(objective, "train", train)
    results = run_search(objective, trials=3)
    assert [(r.state, r.error) for r in results] == [
        ("failed", "loss is nan"), ("failed", "does not fit"), ("complete", ""),
    ]  # fmt: skip
    assert yaml.safe_load((objective.out / "best.yaml").read_text())["optimiser"]["steps"] == 6
    assert (objective.out / JOURNAL).is_file()


@pytest.mark.usefixtures("no_picture")
def test_trials_without_validations_cannot_be_compared(
    make_objective: Make, tmp_path: Path
) -> None:
    objective = make_objective(tmp_path / "out", set={"data.split": {"validation": 0, "test": 2}})
    (found,) = run_search(objective, trials=1)
    assert found.state == "failed"
    assert "no finite validation" in found.error


def test_the_best_is_the_largest_where_that_is_declared() -> None:
    results = [Result(n, "complete", v) for n, v in enumerate((0.2, 0.9, 0.5))]
    results.append(Result(3, "pruned", 5.0))
    assert best_of(results, largest=True) == results[1]
    assert best_of(results, largest=False) == results[0]
    assert best_of(results[3:], largest=True) is None
