"""The ablation of generative methods: scores of known ensembles, targets, rows, and how patches are cut."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import pytest
from generative import patches
from generative.patches import PARTS, SIZE, Patch
from generative.scores import Scores
from generative.table import row_of
from generative.targets import judge
from surrogate_training.config import Data, FieldSpec

from surrogate import Recorder
from surrogate.io.hdf5 import FrameFile

# These import one another by their own names, as modules of a script do.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "generative"))

import measure
from pipeline import Trained, arguments, trainings
from problems import PROBLEMS

CELLS = 32


def scores_of(members: int, *, spread: float = 1.0, pairs: int = 6) -> dict[str, Any]:
    """White noise of unit variance around nothing, by an ensemble of white noise of this spread."""
    rng = np.random.default_rng(0)
    scores = Scores((1.0, 1.0), periodic=True)
    for _ in range(pairs):
        truth = rng.standard_normal((CELLS, CELLS))
        scores.add(spread * rng.standard_normal((members, CELLS, CELLS)), truth)
    return scores.summary()


def test_an_ensemble_that_is_distributed_as_the_truth_scores_as_theory_says() -> None:
    found = scores_of(16)
    assert found["rmse"] == pytest.approx(np.sqrt(17 / 16), rel=0.03)
    assert found["crps"] == pytest.approx(1 / np.sqrt(np.pi), rel=0.03)
    assert found["spread_skill"] == pytest.approx(1, abs=0.03)


def test_an_ensemble_that_is_too_narrow_has_less_spread_than_error() -> None:
    assert scores_of(16, spread=0.5)["spread_skill"] < 0.6


def test_the_crps_of_one_frame_is_its_mean_absolute_error() -> None:
    found = scores_of(1, spread=0.0)
    assert found["crps"] == found["mae"] == pytest.approx(np.sqrt(2 / np.pi), rel=0.03)
    assert found["spread_skill"] is None


def test_members_are_judged_by_their_own_spectra_and_not_by_the_means() -> None:
    rng = np.random.default_rng(1)
    members, truth = rng.standard_normal((16, CELLS, CELLS)), rng.standard_normal((CELLS, CELLS))
    single, blurred = Scores((1.0, 1.0), periodic=True), Scores((1.0, 1.0), periodic=True)
    single.add(members, truth)
    blurred.add(members.mean(0)[None], truth)
    assert blurred.summary()["spectrum_error"] > 2  # ln 16 = 2.8
    assert single.summary()["spectrum_error"] < 0.3


def row(method: str, nfe: int = 1, **changes: float | None) -> dict[str, Any]:
    """Of regression, or of an ensemble that meets all targets."""
    if method == "regression":
        scores = {"rmse": 1.0, "mae": 0.8, "crps": 0.8, "spectrum_error": 2.0, "spread_skill": None}
    else:
        scores = {"rmse": 1.04, "mae": 0.8, "crps": 0.6, "spectrum_error": 0.9, "spread_skill": 1.1}
    return {"method": method, "nfe": nfe, **scores, **changes}


def test_targets_are_met_by_one_row_that_meets_all_of_them() -> None:
    found = judge([row("regression"), row("flow", 4), row("crps", 1, crps=0.55)])
    assert found["met"]
    assert found["best"] == {"method": "crps", "nfe": 1}
    assert found["best_deterministic_mae"] == 0.8


@pytest.mark.parametrize(
    ("score", "value"),
    [("rmse", 1.06), ("crps", 0.69), ("spectrum_error", 1.1), ("spread_skill", 0.7)],
)
def test_a_row_that_misses_one_target_does_not_meet_them(score: str, value: float) -> None:
    found = judge([row("regression"), row("flow", 4, **{score: value})])
    assert not found["met"]
    assert found["judged"][0]["met"] == {
        name: name != score for name in ("rmse", "crps", "spectrum_error", "spread_skill")
    }


def test_more_evaluations_than_the_target_allows_do_not_count() -> None:
    assert judge([row("regression"), row("flow", 8)])["judged"] == []


def test_a_better_deterministic_rival_raises_the_bar_for_the_crps() -> None:
    found = judge([row("regression"), row("pix2pix", spread_skill=None, mae=0.7), row("flow", 4)])
    assert not found["met"]
    assert found["judged"][0]["ratios"]["crps"] == pytest.approx(0.6 / 0.7)


def test_a_row_is_the_mean_over_seeds_and_names_them() -> None:
    scores = {"rmse": 1.0, "mae": 0.5, "spectrum_error": 0.1, "crps": 0.4, "spread_skill": None}
    measured = {
        seed: {
            "nfe": 1, "members": 1, "pairs": 60, "refused": 0, "ms_per_member": 2.0, "batch_over_singles": 1.0,
            "scores": scores | {"rmse": 1.0 + seed}, "scores_of_field": scores,
        }
        for seed in (0, 2)
    }  # fmt: skip
    facts = [{"parameters": 5, "steps": 3, "seconds": 1.0, "cpu_seconds": 1.0, "commit": "c"}] * 2
    made = row_of("flux_hidden", "regression", measured, facts)
    assert (made["rmse"], made["seeds"], made["parameters"]) == (2.0, [0, 2], 5)
    assert made["spread_skill"] is None
    assert made["scores_by_seed"][2]["rmse"] == 3.0


def test_patches_of_different_parts_are_a_patch_apart_also_around_the_sun() -> None:
    columns = {part: set(where) for part, where in PARTS.items()}
    around = patches.CELLS[0] // SIZE
    for part, own in columns.items():
        others = set().union(*(c for name, c in columns.items() if name != part))
        near = {(column + step) % around for column in own for step in (-1, 0, 1)}
        assert not near & others
    assert len({(p.seed, p.row, p.column) for part in PARTS for p in patches.patches(part)}) == sum(
        len(list(patches.patches(part))) for part in PARTS
    )


def test_a_patch_holds_the_cells_of_its_place_and_nothing_of_the_flow(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    br = rng.standard_normal((3, SIZE, 2 * SIZE)).astype(np.float32)
    with Recorder(tmp_path / "frames.h5", units={"br": "G"}, time_unit="h") as recorder:
        for n, frame in enumerate(br):
            recorder.write(4.0 * n, {"br": frame, "vlon": frame})
    with FrameFile(tmp_path / "frames.h5") as source:
        patches.cut(source, Patch(2252, 0, SIZE), tmp_path / "patch.h5", 7)
    with FrameFile(tmp_path / "patch.h5") as made:
        assert made.names == ("br",)
        assert (made.unit("br"), made.time_unit) == ("G", "h")
        np.testing.assert_array_equal(made.read("br", 0, 3), br[:, :, SIZE:])
        np.testing.assert_allclose(made.times(), [0, 4, 8])
        assert made.coordinate("x")[0] == pytest.approx((SIZE + 0.5) * 360 / 2048)


class Pairs:
    """Two pairs of one predicted field and a condition: the frame at t2 is the one at t1 and noise."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        before = rng.standard_normal((2, 2, 8, 8))
        self.states = np.stack([before, before + rng.standard_normal(before.shape)], 1)
        condition, predicted = FieldSpec(name="force", condition=True), FieldSpec(name="omega")
        self.data = Data(path=".", fields=(condition, predicted))

    def pair(self, index: int) -> Any:
        return self.states[index]

    def spread(self, wanted: int) -> list[int]:
        return list(range(2))[:wanted]


def test_a_bundle_is_scored_through_the_run_time_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [bundles.field("force", prediction=None), bundles.field("omega")]
    program = {
        "operation": "affine",
        "scale": [0.0],
        "offset": [0.0],
        "channels": [1],
        "noise": 1.0,
    }
    noise = [{"name": "xi", "channels": 1}]
    one = Trained(PROBLEMS[0], "crps", 0, tmp_path)
    bundles.stub_bundle(one.bundle, fields, program, noise=noise)
    pairs = Pairs()
    monkeypatch.setattr(measure, "test_pairs", lambda problem: pairs)
    monkeypatch.setattr(measure, "_space", lambda problem, pairs: ((1.0, 1.0), True))
    said: list[str] = []
    extent = measure.Extent(pairs=2, members=64)
    first, again = (measure.measure(one, extent, tmp_path, said.append) for _ in range(2))
    assert first == again
    assert said == ["generative_ns_crps: 1 evaluations"]
    (found,) = first
    assert (found["nfe"], found["members"], found["pairs"], found["refused"]) == (1, 64, 2, 0)
    # members and truth are the frame at t1 and a standard normal each: the distribution is the true one
    assert found["scores"]["spread_skill"] == pytest.approx(1, abs=0.15)
    assert found["scores"]["crps"] == pytest.approx(1 / np.sqrt(np.pi), rel=0.15)
    assert found["scores"] == found["scores_of_field"]
    assert found["ms_per_member"] > 0
    assert measure.persistence(PROBLEMS[0], extent)["scores"]["rmse"] == pytest.approx(1, rel=0.15)


def test_methods_that_begin_from_another_run_are_trained_after_it_and_told_where_it_is(
    tmp_path: Path,
) -> None:
    for problem in PROBLEMS:
        order = [one.method for one in trainings(problem, 2, tmp_path)]
        begun = problem.starts.items()
        assert all(order.index(start) < order.index(method) for method, start in begun)
    command = [str(word) for word in arguments(Trained(PROBLEMS[1], "crps", 2, tmp_path))]
    assert f"method.start={tmp_path / 'generative_flux_start_seed2'}" in command
    assert "seed=2" in command
    assert Path(command[0]).is_file()
