"""Trackers get what metrics.jsonl gets, go on after a stop, and never stop a run."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from surrogate_training.callback import Sample
from surrogate_training.config import Recipe
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import RunFolder
from surrogate_training.tracking.callbacks import follow
from surrogate_training.tracking.resources import Resources
from surrogate_training.tracking.samples import Samples, sample_path
from surrogate_training.tracking.trackers import KINDS, Trackers
from surrogate_training.tracking.wandb import mode

Train = Callable[..., RunFolder]


def follow_a_run(
    folder: Path, recipe: Recipe, *, step: int = 0, last: int = 2, pictures: bool = True
) -> None:
    """What a trainer tells: two steps, a validation, a picture, the last checkpoint."""
    run, resources = RunFolder(folder), Resources()
    resources.latest = (step + 1, {"load": 0.5})
    callbacks = [Samples()] if pictures else []
    callbacks.append(Trackers(recipe.run.trackers, resources=resources))
    fields = np.random.default_rng(0).normal(size=(3, 1, 8, 8)).astype(np.float32)
    for callback in callbacks:
        callback.begin(run, recipe, step=step)
        for n in range(step + 1, last + 1):
            callback.step(n, {"loss": 1.0 / n, "lr": 1e-3, "broken": float("nan")})
        callback.validation(last, {"error": 0.25})
        callback.sample(last, Sample(("br",), ("G",), *fields, where="a.h5, frame 0"))
        callback.checkpoint(last, Path("final.pt"))
        callback.close()


class Recorder:
    """Stands for any object of a package: every call is kept, and returns what the test says, or a Recorder."""

    def __init__(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]], **returns: Any):
        self._calls, self._returns = calls, returns

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls.append((name, args, kwargs))
            return self._returns.get(name, Recorder(self._calls))

        return call


def named(calls: list[Any], name: str) -> list[Any]:
    return [(args, kwargs) for found, args, kwargs in calls if found == name]


def test_tensorboard_has_the_figures_once_after_a_resumed_run(
    make_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    events = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    recipe = make_recipe(run={"trackers": ["tensorboard"]})
    follow_a_run(tmp_path, recipe, last=4)
    follow_a_run(tmp_path, recipe, step=2, last=4)
    read = events.EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("train/loss")] == [
        (n, pytest.approx(1 / n)) for n in (1, 2, 3, 4)
    ]
    assert [e.value for e in read.Scalars("validation/error")] == [0.25]
    assert [e.step for e in read.Images("samples")] == [4]
    assert "resources/load" in read.Tags()["scalars"]
    assert "train/broken" not in read.Tags()["scalars"]  # not finite


def test_tensorboard_follows_a_real_run(train: Train, tmp_path: Path) -> None:
    events = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    run = train(tmp_path, [Trackers(("tensorboard",))])
    read = events.EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    records = [json.loads(line) for line in run.metrics_file.read_text().splitlines()]
    for kind, name in (("train", "loss"), ("validation", "error")):
        told = [(r["step"], pytest.approx(r[name], rel=1e-6)) for r in records if r["kind"] == kind]
        assert [(e.step, e.value) for e in read.Scalars(f"{kind}/{name}")] == told


def test_wandb_is_offline_without_a_key_and_a_resumed_run_keeps_its_name(
    make_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    monkeypatch.setitem(
        sys.modules, "wandb", Recorder(calls, init=Recorder(calls), Image="picture")
    )
    monkeypatch.setattr(Recorder, "summary", {}, raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    recipe = make_recipe(run={"trackers": ["wandb"]})
    follow_a_run(tmp_path, recipe, pictures=False)
    follow_a_run(tmp_path, recipe, step=2, last=4, pictures=False)
    (_, first), (_, again) = named(calls, "init")
    assert first["mode"] == "offline"
    assert first["dir"] == str(tmp_path)
    assert first["config"]["optimiser"]["steps"] == recipe.optimiser.steps
    assert first["id"] == again["id"]
    logged = [args[0] for args, _ in named(calls, "log")]
    assert {"step": 1, "train/loss": 1.0, "train/lr": 1e-3} in logged
    assert {"step": 2, "samples": "picture"} in logged
    assert [kwargs["exit_code"] for _, kwargs in named(calls, "finish")] == [0, 0]


def test_wandb_is_online_with_a_key_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", "a key")
    assert mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert mode() == "disabled"


def test_mlflow_writes_into_the_run_folder_and_goes_on_after_a_stop(
    make_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    made = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    client = Recorder(calls, create_run=made, get_experiment_by_name=None, create_experiment="e1")
    package = Recorder(calls, MlflowClient=client)
    metric = SimpleNamespace(Metric=lambda key, value, when, step: (key, value, step))
    monkeypatch.setitem(sys.modules, "mlflow", Recorder(calls))
    monkeypatch.setitem(sys.modules, "mlflow.tracking", package)
    monkeypatch.setitem(sys.modules, "mlflow.entities", metric)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    recipe = make_recipe(run={"trackers": ["mlflow"]})
    follow_a_run(tmp_path, recipe, pictures=False)
    follow_a_run(tmp_path, recipe, step=2, last=4, pictures=False)
    assert len(named(calls, "create_run")) == 1
    uris = {kwargs["tracking_uri"] for _, kwargs in named(calls, "MlflowClient")}
    assert uris == {f"sqlite:///{tmp_path}/mlflow.db"}
    assert ("r1", "optimiser.steps", "60") in [args for args, _ in named(calls, "log_param")]
    batches = [m for _, kwargs in named(calls, "log_batch") for m in kwargs["metrics"]]
    assert ("train/loss", 0.25, 4) in batches
    assert named(calls, "log_artifact")[0][0][:2] == (
        "r1",
        str(sample_path(RunFolder(tmp_path), 2)),
    )
    assert [args[1] for args, _ in named(calls, "set_terminated")] == [
        "FINISHED", "RUNNING", "FINISHED",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_missing_package_is_an_error_before_training(
    make_recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module = "torch.utils.tensorboard" if name == "tensorboard" else name
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RecipeError, match=rf"{name} needs .*surrogate\[trackers\]"):
        follow(make_recipe(run={"trackers": [name]}))


def test_a_tracker_that_fails_is_told_once_and_the_run_goes_on(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError("no network")

    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise TimeoutError("no server")

    kinds = {"wandb": (object, lambda *a, **k: Broken()), "mlflow": (object, unreachable)}
    monkeypatch.setattr("surrogate_training.tracking.trackers.KINDS", kinds)
    with caplog.at_level(logging.WARNING):
        run = train(tmp_path, [Trackers(("wandb", "mlflow"))])
    assert run.final_checkpoint.is_file()
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == 2
    assert "mlflow failed" in told[0]
    assert "wandb failed" in told[1]
    assert "training goes on" in told[1]


@pytest.mark.filterwarnings("ignore")  # theirs, about their own dependencies
@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_the_real_package_takes_a_run_offline(
    make_recipe: Callable[..., Recipe], tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip(name, reason=f"the package {name} (extra [trackers]) is not installed")
    with caplog.at_level(logging.WARNING, logger="surrogate_training"):
        follow_a_run(tmp_path, make_recipe(run={"trackers": [name]}))
    assert not caplog.records
    assert list(
        tmp_path.glob("wandb/offline-run-*/run-*.wandb" if name == "wandb" else "mlflow.db")
    )


def test_pictures_after_the_checkpoint_are_dropped_by_a_resumed_run(
    make_recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = make_recipe()
    follow_a_run(tmp_path, recipe, last=4)
    assert sample_path(RunFolder(tmp_path), 4).stat().st_size > 5_000
    follow_a_run(tmp_path, recipe, step=2, last=3)
    assert [p.name for p in sorted((tmp_path / "samples").iterdir())] == ["step_000003.png"]


def test_a_picture_that_cannot_be_drawn_does_not_stop_a_run(
    make_recipe: Callable[..., Recipe], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "samples").write_text("in the way")
    samples = Samples()
    samples.begin(RunFolder(tmp_path), make_recipe(), step=0)
    u = np.zeros((3, 1, 8, 8), np.float32)
    with caplog.at_level(logging.WARNING):
        samples.sample(1, Sample(("br",), ("G",), *u, where="a.h5, frame 0"))
    assert "could not be drawn" in caplog.text
