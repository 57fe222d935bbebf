"""Evaluation by the run time: known models on fields that move with a known velocity."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from bundles import stub_bundle
from moving import CELLS, frame_field, moving_bundle, write_frames
from surrogate_training.config import Data, FieldSpec, Generate
from surrogate_training.evaluation.coarse import open_coarse
from surrogate_training.evaluation.evaluate import QUICK, Options, evaluate_bundle
from surrogate_training.evaluation.result import Result
from surrogate_training.evaluation.scores import BEST, METRICS
from surrogate_training.evaluation.summary import summarise
from surrogate_training.evaluation.system import system_of_bundle
from surrogate_training.evaluation.table import write_table
from surrogate_training.report.evaluation import evaluate_subject

from surrogate.bundle.manifest import Manifest

METHODS = ("model", "persistence", "linear_extrapolation", "mean")
WHOLE = Options(pairs=0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_frames(tmp_path_factory.mktemp("moving"))


def evaluate(
    made: Path, data: Path | None, options: Options = QUICK, *, root: Path | None = None
) -> Result:
    return evaluate_bundle(made, data, root=root or made.parent, options=options)


def test_a_perfect_model_has_perfect_scores_and_the_baselines_do_not(
    data: Path, tmp_path: Path
) -> None:
    found = summarise(evaluate(moving_bundle(tmp_path), data, WHOLE))
    assert found["pairs"] == 8
    assert found["trajectories"] == 2
    assert found["unit"] == "G"
    for name in METRICS:
        assert found["model"][name] == pytest.approx(BEST.get(name, 0.0), abs=1e-5), name
    for method in METHODS[1:]:
        assert found[method]["rmse"] > 0.1, method
        assert found[method]["ssim"] < 0.9, method
    assert found["model"]["pairs"] == found["mean"]["pairs"] == 8
    assert found["mean"]["vrmse"] == pytest.approx(1, abs=0.05)
    assert found["mean"]["correlation"] is None
    assert found["rollout"]["jumps"] == 4
    assert found["rollout"]["model"]["vrmse"] == pytest.approx([0, 0, 0, 0], abs=1e-5)
    assert found["rollout"]["model"]["time_to_correlation_0.8"] is None
    assert found["rollout"]["persistence"]["time_to_correlation_0.8"] > 0
    json.dumps(found, allow_nan=False)


def test_a_model_that_stands_still_scores_as_persistence(data: Path, tmp_path: Path) -> None:
    found = summarise(evaluate(moving_bundle(tmp_path, shift=(0, 0)), data))
    for name in METRICS:
        assert found["model"][name] == pytest.approx(found["persistence"][name], rel=1e-6)
    assert found["error_over_persistence"] == pytest.approx(1)


def test_baselines_are_what_they_say(data: Path, tmp_path: Path) -> None:
    result = evaluate(moving_bundle(tmp_path), data)
    with h5py.File(data / "trajectory_0.h5") as file:
        u = file["u"][:].astype(np.float64)
    rmse = {method: result.column(method, "rmse")[:, 0] for method in METHODS}
    assert rmse["persistence"][1] == pytest.approx(np.sqrt(np.mean((u[1] - u[2]) ** 2)))
    line = 2 * u[1] - u[0]
    assert rmse["linear_extrapolation"][1] == pytest.approx(np.sqrt(np.mean((line - u[2]) ** 2)))
    assert rmse["mean"][1] == pytest.approx(np.sqrt(np.mean(u[2] ** 2)))


def test_pairs_without_a_frame_before_are_left_out_of_the_extrapolation_and_said(
    data: Path, tmp_path: Path
) -> None:
    result = evaluate(moving_bundle(tmp_path), data)
    assert np.isnan(result.column("linear_extrapolation", "rmse")[[0, 4], 0]).all()
    found = summarise(result)
    assert found["linear_extrapolation"]["pairs"] == 6
    assert any("linear_extrapolation: 6 of 8 pairs" in note for note in found["notes"])


def test_what_a_guard_would_refuse_is_scored_and_counted(data: Path, tmp_path: Path) -> None:
    guards = {"bounds": {"u": {"upper": 1.0}}}
    result = evaluate(moving_bundle(tmp_path, guards=guards), data)
    found = summarise(result)
    assert found["refused"] == {
        "pairs": 8,
        "by": {"INPUT_OUT_OF_BOUNDS": 8, "OUTPUT_OUT_OF_BOUNDS": 8},
    }
    assert found["model"]["rmse"] == pytest.approx(0, abs=1e-5)


def test_a_frame_that_is_not_finite_has_no_scores_and_no_other_pair_suffers(
    data: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "trajectory_0.h5").write_bytes((data / "trajectory_0.h5").read_bytes())
    with h5py.File(broken / "trajectory_0.h5", "r+") as file:
        file["u"][0] *= 1e38 / np.abs(file["u"][0]).max()
    result = evaluate(moving_bundle(tmp_path, scale=10.0), broken)
    assert result.refusals() == {"OUTPUT_NOT_FINITE": 1}
    assert np.isnan(result.errors()[0])
    assert np.isfinite(result.errors()[1:]).all()
    assert summarise(result)["model"]["pairs"] == 3
    assert len(result.ranked()) == 3


def test_several_fields_are_scaled_by_their_training_deviation(data: Path, tmp_path: Path) -> None:
    program = {"operation": "affine", "scale": [1.0] * 2, "offset": [0.0] * 2, "channels": [0, 1]}
    small = frame_field("u", std=0.5, mean=0.1)
    made = stub_bundle(tmp_path / "two.surrogate", [small, frame_field("source", std=4.0)], program)
    found = summarise(evaluate(made, data))
    per_field = [found["fields"][name]["methods"]["persistence"] for name in ("u", "source")]
    mean = np.mean([per_field[0]["rmse"] / 0.5, per_field[1]["rmse"] / 4.0])
    assert found["persistence"]["rmse"] == pytest.approx(mean)
    assert found["persistence"]["vrmse"] == pytest.approx(np.mean([f["vrmse"] for f in per_field]))
    assert "over the training data" in found["unit"]
    squares = [per_field[0]["mse"] / 0.25, per_field[1]["mse"] / 16.0]
    assert found["persistence"]["mse"] == pytest.approx(np.mean(squares))


def test_an_ensemble_of_the_truths_distribution_is_calibrated(data: Path, tmp_path: Path) -> None:
    """The program draws standard normals: an untrained guess, wider than the truth is smooth."""
    noisy = moving_bundle(
        tmp_path, scale=0.0, noise=[{"name": "xi", "channels": 1}], program={"noise": 1.0}
    )
    result = evaluate(noisy, data, Options(rollout=0))
    assert result.ensemble is not None
    assert result.ensemble.members == 8
    whole = summarise(result)
    found = whole["ensemble"]["fields"]["u"]
    # both are standard normal cell by cell: spread and error of the mean agree, CRPS is 1 / sqrt(pi) of sigma
    assert found["spread_skill"] == pytest.approx(1, abs=0.1)
    assert found["crps"] == pytest.approx(1 / np.sqrt(np.pi), abs=0.05)
    assert sum(found["rank_histogram"]) == 8 * CELLS**2
    assert found["rank_histogram"] == pytest.approx([8 * CELLS**2 / 9] * 9, rel=0.25)
    assert found["rmse_of_member"] == pytest.approx(np.sqrt(2), rel=0.05)
    assert found["rmse_of_mean"] == pytest.approx(np.sqrt(1 + 1 / 8), rel=0.05)
    # the truth is smooth, so members have too much power at large wavenumbers, and the mean of 8 an eighth of that
    excess = found["spectrum_error_of_member"] - found["spectrum_error_of_mean"]
    assert excess == pytest.approx(np.log(8), rel=0.1)
    assert whole["ensemble"]["all"] == {k: v for k, v in found.items() if k != "rank_histogram"}
    assert whole["stochastic"]
    assert "one member" in whole["model_frames"]
    assert whole["model"]["rmse"] == pytest.approx(np.sqrt(2), rel=0.05)
    assert len(result.ensemble.seconds) == len(result.pairs)


def test_members_of_a_deterministic_model_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no noise inputs"):
        evaluate(moving_bundle(tmp_path), data, Options(members=4, rollout=0))


def test_steps_of_a_model_without_a_sampler_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--steps 4: the model has no sampler"):
        evaluate(moving_bundle(tmp_path), data, Options(steps=4, rollout=0))


def test_a_rollout_longer_than_the_data_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 jumps at most"):
        evaluate(moving_bundle(tmp_path), data, Options(rollout=9))


def test_some_pairs_are_spread_over_the_data(data: Path, tmp_path: Path) -> None:
    result = evaluate(
        moving_bundle(tmp_path), data / "trajectory_1.h5", Options(pairs=2, rollout=0)
    )
    assert [(pair.file, pair.frame) for pair in result.pairs] == [
        ("trajectory_1.h5", 0),
        ("trajectory_1.h5", 2),
    ]
    assert [pair.time for pair in result.pairs] == [0.0, 1.0]


def test_extremes_are_the_best_the_median_and_the_worst(data: Path, tmp_path: Path) -> None:
    result = evaluate(moving_bundle(tmp_path, shift=(0, 0)), data)
    errors, found = result.errors(), summarise(result)["extremes"]
    assert found["best"]["error"] == errors.min()
    assert found["worst"]["error"] == errors.max()
    assert errors[found["worst"]["pair"]] == errors.max()
    assert found["median"]["error"] == np.sort(errors)[4]


def test_the_table_has_a_row_a_pair_and_a_column_a_number(data: Path, tmp_path: Path) -> None:
    result = evaluate(moving_bundle(tmp_path, shift=(0, 0)), data)
    write_table(result, tmp_path / "metrics.csv")
    with (tmp_path / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    assert rows[5]["file"] == "trajectory_1.h5"
    assert float(rows[5]["time"]) == 0.5
    assert float(rows[5]["model.u.rmse"]) == pytest.approx(result.column("model", "rmse")[5, 0])
    assert rows[0]["linear_extrapolation.u.rmse"] == ""
    assert rows[5]["run"] == "trajectory_1.h5"
    assert len(rows[0]) == 7 + 4 * len(METRICS)


def coarse(tmp_path: Path, data: Path) -> tuple[Path, Generate]:
    """Frames that may be written beside, and a coarse solver that is right, and slow."""
    source = tmp_path / "frames"
    source.mkdir()
    for path in data.iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    code = (
        "import h5py, pathlib, shutil; "
        "[shutil.copy(p, r'{out}') for p in pathlib.Path(r'{path}').glob('*.h5')]; "
        "[h5py.File(p, 'r+').attrs.update(seconds_per_jump=0.25) for p in pathlib.Path(r'{out}').iterdir()]"
    )
    return source, Generate(command=("{python}", "-c", code))


def test_the_coarse_solver_is_a_method_with_a_cost(data: Path, tmp_path: Path) -> None:
    source, generate = coarse(tmp_path, data)
    tree = {
        "name": "moving",
        "data": {"path": ".", "fields": [{"name": "u"}, {"name": "source", "condition": True}]},
        "optimiser": {"steps": 1, "batch": 1, "learning_rate": 1e-3},
        "evaluation": {"coarse": generate.model_dump(mode="json")},
    }
    made = moving_bundle(tmp_path, provenance={"recipe": tree}, shift=(0, 0))
    result = evaluate(made, source)
    found = summarise(result)
    assert found["coarse"]["rmse"] == 0
    assert found["coarse"]["pairs"] == 8
    assert (result.coarse_seconds, result.solver_seconds) == (0.25, None)


def test_frames_of_the_coarse_solver_stay_and_another_command_is_refused(
    data: Path, tmp_path: Path
) -> None:
    source, generate = coarse(tmp_path, data)
    section = Data(path="frames", fields=(FieldSpec(name="u"),))
    made = moving_bundle(tmp_path)
    system = system_of_bundle(Manifest.read(made / "manifest.json"), made)
    folder = open_coarse(generate, section, system, source, root=tmp_path).folder
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    open_coarse(generate, section, system, source, root=tmp_path)
    assert before == sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    with pytest.raises(ValueError, match="another command"):
        open_coarse(Generate(command=("true",)), section, system, source, root=tmp_path)
    several = section.model_copy(update={"stride": 2})
    with pytest.raises(ValueError, match=r"data\.stride 1"):
        open_coarse(generate, several, system, source, root=tmp_path)


def test_listed_pairs_are_scored_by_region(data: Path, tmp_path: Path) -> None:
    lines = ["region,t1,t2,dt_hours,file1,file2"]
    for n in range(2):
        with h5py.File(data / f"trajectory_{n}.h5") as whole:
            for m in range(4):
                with h5py.File(tmp_path / f"r{n}_{m}.h5", "w") as one:
                    one["time"] = [0.5 * m]
                    for name in ("u", "source"):
                        one[name] = whole[name][m : m + 1]
        for m in range(3):
            t1, t2 = (f"2011.02.16_0{k // 2}:{30 * (k % 2):02d}:00_TAI" for k in (m, m + 1))
            lines.append(f"{n},{t1},{t2},0.5,r{n}_{m}.h5,r{n}_{m + 1}.h5")
    (tmp_path / "pairs.csv").write_text("\n".join(lines) + "\n")
    result = evaluate(moving_bundle(tmp_path), tmp_path / "pairs.csv", WHOLE)
    assert [pair.run for pair in result.pairs] == ["0"] * 3 + ["1"] * 3
    assert result.pairs[4].file == "r1_1.h5"
    found = summarise(result)
    assert found["trajectories"] == 2
    assert found["model"]["rmse"] == pytest.approx(0, abs=1e-5)
    assert found["linear_extrapolation"]["pairs"] == 4
    assert found["rollout"]["jumps"] == 3
    assert len(evaluate(moving_bundle(tmp_path), tmp_path).pairs) == 6  # the list of a folder


def test_data_of_another_cadence_is_refused(data: Path, tmp_path: Path) -> None:
    slow = moving_bundle(tmp_path, time={"step": 1.0, "unit": "s"})
    with pytest.raises(ValueError, match=r"0\.5 apart.* jumps by 1 s"):
        evaluate(slow, data)


def test_files_of_a_mapped_layout_are_evaluated_and_tell_their_cost(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "frames").mkdir()
    for path in data.iterdir():
        with (
            h5py.File(path) as stored,
            h5py.File(tmp_path / "frames" / path.name, "w") as file,
        ):
            for name in ("u", "source", "time"):
                file[f"out/{name}"] = stored[name][()]
            file.attrs["seconds_per_jump"] = 0.5
    axes = "axes: [time, y, x]"
    (tmp_path / "layout.yaml").write_text(
        f"fields: {{u: {{dataset: out/u, {axes}}}, source: {{dataset: out/source, {axes}}}}}\n"
        "time: {dataset: out/time}\n"
    )
    tree = {
        "name": "moving",
        "data": {
            "path": "frames",
            "mapping": "layout.yaml",
            "fields": [{"name": "u"}, {"name": "source", "condition": True}],
        },
        "optimiser": {"steps": 1, "batch": 1, "learning_rate": 1e-3},
    }
    made = moving_bundle(tmp_path, provenance={"recipe": tree})
    result = evaluate(made, tmp_path / "frames")
    assert summarise(result)["model"]["rmse"] == pytest.approx(0, abs=1e-5)
    assert result.solver_seconds == 0.5


def test_cells_without_data_count_nowhere(data: Path, tmp_path: Path) -> None:
    """A recipe that masks: NaN in the truth is neither read nor scored, and the rest is."""
    tree = {
        "name": "moving",
        "data": {
            "path": ".",
            "fields": [{"name": "u"}, {"name": "source", "condition": True}],
            "missing": "mask",
        },
        "optimiser": {"steps": 1, "batch": 1, "learning_rate": 1e-3},
    }
    made = moving_bundle(tmp_path, provenance={"recipe": tree}, shift=(0, 0))
    holed = tmp_path / "holed"
    holed.mkdir()
    with (
        h5py.File(data / "trajectory_0.h5") as whole,
        h5py.File(holed / "trajectory_0.h5", "w") as h5,
    ):
        for name in ("u", "source", "time"):
            h5[name] = whole[name][:]
        h5["u"][:, :, :4] = np.nan
        u = h5["u"][:].astype(np.float64)
    result = evaluate(made, holed)
    expected = np.sqrt(np.mean((u[0] - u[1])[:, 4:] ** 2))
    assert result.column("model", "rmse")[0, 0] == pytest.approx(expected)
    assert np.isfinite(result.column("model", "ssim")).all()
    assert result.histograms["u"].counts["truth"].sum() == 4 * CELLS * (CELLS - 4)


def test_data_that_is_not_there_is_said(data: Path, tmp_path: Path) -> None:
    made = moving_bundle(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        evaluate(made, tmp_path / "none")
    with pytest.raises(ValueError, match="by which recipe"):
        evaluate(made, None)
    with pytest.raises(FileNotFoundError, match="no such bundle or run"):
        evaluate_subject(tmp_path / "typo.surrogate", data)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no"):
        evaluate(made, tmp_path / "empty")
