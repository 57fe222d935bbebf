"""The back end for clusters: what Ray is asked for, and what is made of its answers, on a stand-in for its package."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from surrogate_training.recipe import RecipeError
from surrogate_training.runfolder import open_run
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.optuna_backend import load as load_optuna
from surrogate_training.tune.ray_backend import result, scheduler
from surrogate_training.tune.search import run_search

Make = Callable[..., Objective]


class FakeRay(ModuleType):
    """Runs trials one after the other; takes the first value of each domain, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.reports: list[dict[str, Any]] = []
        self.asked: dict[str, Any] = {}
        fake = self

        class Tuner:
            def __init__(self, work: Any, **how: Any) -> None:
                self.work, self.how = work, how
                fake.asked = how

            @staticmethod
            def can_restore(folder: str) -> bool:
                return False

            def fit(self) -> list[Any]:
                sys.stdout.write("Ray talks")
                assert Path.cwd() == Path(self.how["run_config"].storage_path)
                return [self.one(n) for n in range(self.how["tune_config"].num_samples)]

            def one(self, number: int) -> Any:
                config = {key: domain[1] for key, domain in self.how["param_space"].items()}
                fake.number, fake.reports = number, []
                error = None
                try:
                    self.work(config)
                except ValueError as raised:
                    error = raised
                metrics = fake.reports[-1] if fake.reports else None
                return SimpleNamespace(metrics=metrics, config=config, error=error)

        def space(**attributes: Any) -> SimpleNamespace:
            return SimpleNamespace(**attributes)

        self.tune = SimpleNamespace(
            Tuner=Tuner,
            TuneConfig=space,
            RunConfig=space,
            report=lambda metrics: fake.reports.append(metrics),
            get_context=lambda: SimpleNamespace(get_trial_id=lambda: f"ab_{fake.number:05d}"),
            with_resources=self.with_resources,
            choice=lambda values: ("choice", *values),
            uniform=lambda low, high: ("uniform", low, high),
            loguniform=lambda low, high: ("log", low, high),
            schedulers=SimpleNamespace(
                ASHAScheduler=lambda **how: ("asha", how),
                MedianStoppingRule=lambda **how: ("median", how),
            ),
        )

    def with_resources(self, work: Any, resources: dict[str, float]) -> Any:
        self.resources = resources
        return work


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setattr("surrogate_training.tune.search.draw_search", lambda *args: None)
    return fake


def test_ray_trains_the_same_objective_and_its_trials_are_run_folders(
    ray: FakeRay, make_objective: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objective = make_objective(tmp_path / "out", pruning={"kind": "asha", "warmup": 2})
    results = run_search(objective, trials=2, backend="ray")
    assert [(r.state, r.folder) for r in results] == [
        ("complete", "trial_ab_00000"), ("complete", "trial_ab_00001"),
    ]  # fmt: skip
    assert results[0].values == {
        "optimiser.learning_rate": 1e-4, "optimiser.batch": 2, "model.activation": "silu",
    }  # fmt: skip
    run = open_run(objective.out / "trials" / "trial_ab_00000")
    errors = [
        (r["step"], r["error"])
        for r in map(json.loads, run.metrics_file.read_text().splitlines())
        if r["kind"] == "validation"
    ]
    *told, last = [(r["step"], r["value"]) for r in ray.reports]
    assert told == errors
    assert last == (6, min(e for _, e in errors))
    config, where = ray.asked["tune_config"], ray.asked["run_config"]
    assert (config.metric, config.mode, config.num_samples) == ("value", "min", 2)
    assert config.scheduler[0] == "asha"
    assert where.storage_path == str(objective.out)
    assert ray.asked["param_space"]["optimiser.batch"] == ("choice", 2, 4, 6)
    assert ray.resources == {"cpu": 1, "gpu": 0}
    assert (objective.out / "best.yaml").is_file()
    captured = capsys.readouterr()
    assert ("Ray talks" in captured.out, "Ray talks" in captured.err) == (False, True)


def test_a_trial_that_fails_on_ray_is_noted(
    ray: FakeRay, make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = make_objective(tmp_path / "out")

    def train(values: dict[str, Any], folder: str, report: Any) -> float:
        report(2, 0.5)
        raise ValueError("does not fit")

    monkeypatch.setattr(objective, "train", train)
    (found,) = run_search(objective, trials=1, backend="ray")
    assert (found.state, found.error, found.value) == ("failed", "does not fit", 0.5)


def test_a_worker_that_never_began_is_a_failed_trial(
    ray: FakeRay, make_objective: Make, tmp_path: Path
) -> None:
    traceback = "actor died\nTraceback:\n  File\nImportError: no module x\nUnexpected."
    broken = SimpleNamespace(metrics=None, config=None, error=RuntimeError(traceback))
    found = result(0, broken, make_objective(tmp_path / "out"))
    assert (found.state, found.values) == ("failed", {})
    assert found.error == "ImportError: no module x"


def test_asha_never_ends_a_trial_before_its_result(
    ray: FakeRay, make_objective: Make, tmp_path: Path
) -> None:
    def how(pruning: dict[str, Any]) -> Any:
        return scheduler(ray.tune, make_objective(tmp_path, pruning=pruning))

    assert how({"kind": "asha"})[1]["max_t"] == 7  # a trial that reports max_t is ended
    assert how({"kind": "median", "startup": 2})[1]["min_samples_required"] == 2
    assert how({"kind": "none"}) is None


def test_a_missing_back_end_is_named_with_its_extra(
    make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RecipeError, match=r"surrogate\[ray\]"):
        run_search(make_objective(tmp_path / "out"), trials=1, backend="ray")
    assert not (tmp_path / "out").exists()  # nothing is claimed
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RecipeError, match=r"surrogate\[tune\]"):
        load_optuna()


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")  # theirs, about their own dependencies
def test_the_real_ray_runs_a_trial(
    make_objective: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray.tune", reason="the package ray[tune] (extra [ray]) is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.chdir(tmp_path)  # its workers import from the folder that we are in
    (found,) = run_search(make_objective(tmp_path / "out"), trials=1, backend="ray")
    assert found.state == "complete"
    assert (tmp_path / "out" / "trials" / found.folder / "state.json").is_file()
