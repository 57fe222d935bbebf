"""Watching a run by its files: what is shown is what is there, however it came to be there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer
from rich.console import Console
from surrogate_training import checkpoint
from surrogate_training.cli.watch import watch
from surrogate_training.config import Recipe
from surrogate_training.watch.records import Tail
from surrogate_training.watch.screen import duration, render, sparkline
from surrogate_training.watch.snapshot import Snapshot, Watcher, best
from typer.testing import CliRunner

Make = Callable[..., Recipe]


@pytest.fixture
def run(make_recipe: Make, tmp_path: Path) -> Path:
    """A run folder of six steps, with three of them done."""
    recipe = make_recipe(optimiser={"steps": 6}, run={"best": "-skill"})
    (tmp_path / "recipe.json").write_text(recipe.model_dump_json())
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records()))
    return tmp_path


def records() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"kind": "train", "step": n, "loss": 1.0 / n, "D.lr": 1.0, "norm": 1.0, "lr": 0.1 * n}
        | {"s/step": 2.0}
        for n in (1, 2, 3)
    ]
    made.insert(1, {"kind": "validation", "step": 1, "error": 0.5, "skill": 0.75})
    made.append({"kind": "validation", "step": 3, "error": 0.25, "skill": 0.5})
    made.append({"kind": "resources", "step": 3, "load": 1.5, "gpu0_temperature_c": 61.0})
    return made


def says(run: Path, **facts: Any) -> Snapshot:
    process = psutil.Process()
    mine = {"pid": process.pid, "process_began": process.create_time(), "state": "running"}
    (run / "state.json").write_text(json.dumps(mine | {"host": socket.gethostname()} | facts))
    return Watcher(run).look()


def test_a_living_run_is_shown_with_what_is_left(run: Path) -> None:
    s = says(run)
    assert (s.state, s.step, s.steps, s.seconds_left) == ("running", 3, 6, 6.0)
    assert s.learning_rate == pytest.approx(0.3)
    assert s.losses == {"loss": [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]}
    assert s.best == (1, 0.75)  # -skill: larger is better
    assert s.resources == {"load": 1.5, "gpu0_temperature_c": 61.0}
    assert s.checkpoint_age is None


def test_a_process_that_is_gone_is_a_stopped_run(run: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=60)
    s = says(run, pid=child.pid)
    assert (s.state, s.seconds_left) == ("stopped", None)
    assert "was killed" in s.why


def test_a_run_on_another_machine_is_judged_by_its_silence(run: Path) -> None:
    assert says(run, host="elsewhere").state == "running"
    old = (run / "metrics.jsonl").stat().st_mtime - 2000
    os.utime(run / "metrics.jsonl", (old, old))
    assert says(run, host="elsewhere").state == "stopped"


@pytest.mark.parametrize("end", ["finished", "diverged", "pruned", "failed"])
def test_an_end_is_taken_from_the_runs_own_words(run: Path, end: str) -> None:
    assert says(run, state=end, ended="2026-01-01").state == end


def test_without_a_state_the_files_tell(run: Path) -> None:
    assert Watcher(run).look().state == "stopped"
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / checkpoint.FINAL).touch()
    assert Watcher(run).look().state == "finished"
    (run / "checkpoints" / checkpoint.FINAL).unlink()
    (run / "metrics.jsonl").unlink()
    assert Watcher(run).look().state == "waiting"


def test_a_half_written_line_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_text('{"kind": "train", "step": 1}\n{"kind": "train", "st')
    assert [r["step"] for r in tail.read()] == [1]
    with path.open("a") as stream:
        stream.write('ep": 2}\n{"half\n{"step": 3, "kind": "train"}\n[]\n{"no": "step"}\n')
    assert [r["step"] for r in tail.read()] == [1, 2, 3]


def test_records_that_a_resumed_run_drops_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = [f'{{"kind": "train", "step": {n}}}\n' for n in range(9)]
    tail = Tail(path)
    path.write_text("".join(lines[:6]))
    tail.read()
    path.write_text("".join([*lines[:3], *lines[5:]]))  # longer than before, but another file
    assert [r["step"] for r in tail.read()] == [0, 1, 2, 5, 6, 7, 8]
    path.write_text(lines[0])
    assert [r["step"] for r in tail.read()] == [0]


def test_the_best_validation_is_finite(run: Path) -> None:
    found = [{"step": 1, "error": float("nan")}, {"step": 2, "error": 0.5}, {"step": 3}]
    assert best(found, "error") == (2, 0.5)
    assert best(found[:1], "error") is None


def test_the_screen_names_what_matters(run: Path) -> None:
    console = Console(width=140, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(render(says(run)))
    shown = console.export_text()
    for text in (
        "smoke",
        "running",
        "step 3 of 6",
        "left 6 s",
        "no checkpoint",
        "rate 3.00e-01",
        "gpu0 temperature 61 °C",
    ):
        assert text in shown
    rows = {line.split("  ")[0]: line.split() for line in shown.splitlines()}
    assert rows["validation skill *"][3:6] == ["0.5", "0.75", "1"]
    assert rows["train loss"][-1] == "█▄▁"  # by the logarithm


def test_sparklines_are_as_long_as_they_may_be() -> None:
    assert sparkline([1.0] * 3) == "▁▁▁"
    assert sparkline([-1.0, 0.0, 1.0]) == "▁▅█"
    assert len(sparkline([float(n) for n in range(1000)], width=20)) == 20
    assert sparkline([float("nan")]) == ""


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (None, 5, 65, 3_600 * 5 + 61)] == [
        "–", "5 s", "1 min 05 s", "5 h 01 min",
    ]  # fmt: skip


def test_the_command_prints_json_once_and_ends_with_the_run(run: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(watch)
    says(run, state="finished", ended="now")
    call = CliRunner().invoke
    found = json.loads(call(app, [str(run), "--once", "--json"]).output)
    assert (found["state"], found["step"], found["best"]) == ("finished", 3, [1, 0.75])
    assert "step 3 of 6" in call(app, [str(run), "--every", "0.1"]).output  # it does not wait
    assert "step 3 of 6" in call(app, [str(run), "--once"]).output
    assert call(app, [str(run), "--json"]).exit_code == 2
    missing = call(app, [str(tmp_path / "none"), "--once"])
    assert (missing.exit_code, "not a run folder" in missing.output) == (2, True)
