"""``surrogate data audit``: what would make a model's score worthless is found, and told with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from surrogate_training.cli.data import app
from surrogate_training.data import synthetic
from surrogate_training.data.scan import block_means
from typer.testing import CliRunner

RECIPE = Path(__file__).resolve().parents[2] / "training" / "recipes" / "smoke.yaml"
FIRST, LAST = "trajectory_000000.h5", "trajectory_000005.h5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six trajectories, two of them for the test."""
    data = tmp_path / ".data" / "smoke"
    synthetic.write(data, trajectories=6, frames=3, cells=16)
    return data


def _recipe(tmp_path: Path, **changes: Any) -> Path:
    tree = yaml.safe_load(RECIPE.read_text())
    del tree["data"]["generate"]
    tree["data"]["split"] = {"validation": 1, "test": 2}
    tree["model"] = {"widths": [8], "encoder_blocks": [1], "decoder_blocks": []}
    for section, values in changes.items():
        tree[section] = tree.get(section, {}) | values
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path / "recipe.yaml"


def _audit(*arguments: object) -> tuple[int, dict[str, Any]]:
    made = CliRunner().invoke(app, ["audit", *(str(a) for a in arguments), "--json"])
    assert made.exit_code in (0, 1), made.output
    found = json.loads(made.stdout)
    assert found["passed"] == (made.exit_code == 0)
    return made.exit_code, {f["check"]: f for f in found["findings"]}


def _of_recipe(tmp_path: Path, **changes: Any) -> tuple[int, dict[str, Any]]:
    return _audit(_recipe(tmp_path, **changes), "--root", tmp_path)


def _edit(file: Path, name: str, frame: Any, values: Any) -> None:
    with h5py.File(file, "a") as h5:
        h5[name][frame] = values


def test_a_sound_data_set_passes(folder: Path, tmp_path: Path) -> None:
    code, found = _of_recipe(tmp_path)
    assert code == 0
    assert {f["verdict"] for f in found.values()} <= {"ok", "note"}
    assert "train 6 of 3 runs, validation 2 of 1 runs, test 4 of 2 runs" in found["pairs"]["text"]
    text = CliRunner().invoke(
        app, ["audit", str(tmp_path / "recipe.yaml"), "--root", str(tmp_path)]
    )
    assert "fit to train on" in text.stdout


def test_a_state_on_both_sides_fails(folder: Path, tmp_path: Path) -> None:
    made = synthetic.trajectory(0, cells=16, frames=3)
    for name in synthetic.FIELDS:
        _edit(folder / LAST, name, 2, made[name][1])
    code, found = _of_recipe(tmp_path)
    assert code == 1
    assert found["duplicates"]["verdict"] == "fail"
    assert f"{FIRST} frame 1 (train) is {LAST} frame 2 (test)" in found["duplicates"]["text"]
    assert "split by trajectory" in found["duplicates"]["advice"]


@pytest.mark.parametrize(("change", "verdict"), [(1e-3, "fail"), (0.2, "ok")])
def test_nearly_equal_initial_states_fail(
    folder: Path, tmp_path: Path, change: float, verdict: str
) -> None:
    made = synthetic.trajectory(0, cells=16, frames=3)
    rng = np.random.default_rng(0)
    for name in synthetic.FIELDS:
        noise = change * made[name].std() * rng.standard_normal((16, 16))
        _edit(folder / LAST, name, 0, made[name][0] + noise)
    _, found = _of_recipe(tmp_path)
    near = found["near duplicates"]
    assert near["verdict"] == verdict
    if verdict == "fail":
        assert f"{FIRST} frame 0 (train) and {LAST} frame 0 (test) (0.00" in near["text"]


def test_block_means_are_no_farther_apart_than_the_states() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 3, 40, 37)).astype("f4")
    small = np.sqrt(np.mean((block_means(one) - block_means(other)) ** 2))
    assert block_means(one).shape == (3, 13, 12)
    assert small <= 1.1 * np.sqrt(np.mean((one - other) ** 2))


def test_uniform_and_frozen_frames_fail(folder: Path, tmp_path: Path) -> None:
    _edit(folder / FIRST, "vx", 1, 0.0)
    _, found = _of_recipe(tmp_path)
    assert found["constant frames"]["verdict"] == "fail"
    assert f"vx of {FIRST} frame 1 (train)" in found["constant frames"]["text"]
    made = synthetic.trajectory(0, cells=16, frames=3)
    _edit(folder / FIRST, "vx", 1, made["vx"][0])
    _, found = _of_recipe(tmp_path)
    assert f"vx of {FIRST} frame 1 (train) since frame 0" in found["constant frames"]["text"]


def test_persistence_that_no_model_can_beat_fails(tmp_path: Path) -> None:
    synthetic.write(tmp_path / ".data" / "smoke", trajectories=6, frames=3, cells=16, jump=1e-7)
    code, found = _of_recipe(tmp_path)
    assert code == 1
    assert found["persistence"]["verdict"] == "fail"
    assert "longer jump" in found["persistence"]["advice"]


def test_the_error_of_persistence_is_that_of_the_arrays(folder: Path, tmp_path: Path) -> None:
    made = CliRunner().invoke(
        app, ["audit", str(_recipe(tmp_path)), "--root", str(tmp_path), "--json"]
    )
    runs = [synthetic.trajectory(n, cells=16, frames=3)["vx"] for n in range(6)]
    u = np.stack(runs).astype("f8")
    expected = np.sqrt(np.mean(np.diff(u, axis=1) ** 2)) / u.std()
    assert json.loads(made.stdout)["persistence"]["vx"] == pytest.approx(expected, rel=1e-6)


def test_missing_values_fail_unless_they_are_masked(folder: Path, tmp_path: Path) -> None:
    _edit(folder / FIRST, "p", (0, 3, slice(0, 8)), np.nan)
    _, found = _of_recipe(tmp_path)
    share = 100 * 8 / (6 * 3 * 256)
    assert found["missing values"]["verdict"] == "fail"
    assert f"p {share:.3g} %" in found["missing values"]["text"]
    tree = yaml.safe_load((tmp_path / "recipe.yaml").read_text())
    _, found = _of_recipe(tmp_path, data=tree["data"] | {"missing": "mask"})
    assert found["missing values"]["verdict"] == "note"


def test_an_irregular_cadence_fails(folder: Path, tmp_path: Path) -> None:
    _edit(folder / FIRST, "time", 2, 1.0)
    _, found = _of_recipe(tmp_path)
    assert found["cadence"]["verdict"] == "fail"
    assert "not equally spaced" in found["cadence"]["text"]


@pytest.mark.parametrize(("speed", "verdict"), [(10.0, "ok"), (1e4, "fail")])
def test_information_must_not_travel_farther_than_the_model_sees(
    folder: Path, tmp_path: Path, speed: float, verdict: str
) -> None:
    _, found = _of_recipe(tmp_path, evaluation={"information_speed": speed})
    reach = found["receptive field"]
    assert reach["verdict"] == verdict
    cells = speed * 0.004 * 16
    assert f"crosses {cells:.3g} × {cells:.3g} cells in a jump of 0.004" in reach["text"]


def test_without_a_speed_the_flow_is_measured(folder: Path, tmp_path: Path) -> None:
    _, found = _of_recipe(tmp_path)
    runs = [synthetic.trajectory(n, cells=16, frames=3) for n in range(6)]
    fastest = max(float(np.hypot(run["vx"], run["vy"]).max()) for run in runs)
    assert f"the flow, {fastest:g} at its fastest" in found["receptive field"]["text"]


def test_data_without_a_recipe(folder: Path, tmp_path: Path) -> None:
    code, found = _audit(folder)
    assert code == 0
    assert "all 12 of 6 runs" in found["pairs"]["text"]
    assert found["receptive field"]["verdict"] == "note"
    (folder / "copy.h5").write_bytes((folder / FIRST).read_bytes())
    code, found = _audit(folder)
    assert code == 1
    assert "copy.h5 frame 0 (all) is trajectory_000000.h5" in found["duplicates"]["text"]
    made = CliRunner().invoke(app, ["audit", str(tmp_path / "none")])
    assert made.exit_code == 2
    assert "no such file" in made.output


def test_a_region_in_two_lists_fails(tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    rng = np.random.default_rng(4)
    rows = []
    for n in range(3):
        header = fits.Header({"CHAN1": "Br", "CHAN2": "Source"})
        cube = np.stack([rng.normal(size=(6, 8)), np.zeros((6, 8))]).astype("f4")
        fits.PrimaryHDU(cube, header).writeto(tmp_path / f"{n}.fits")
        clock = [f"2011.02.16_{4 * (n + k):02d}:00:00_TAI" for k in range(2)]
        rows.append(f"377,{clock[0]},{clock[1]},4,../{n}.fits,../{n + 1}.fits")
    head = "region,t1,t2,dt_hours,file1,file2\n"
    for part, row in {"train": rows[0], "test": rows[1]}.items():
        (tmp_path / part).mkdir()
        (tmp_path / part / "pairs.csv").write_text(head + row + "\n")
    code, found = _audit(tmp_path, "--conditions", "Source")
    assert code == 1
    assert "region 377 is in" in found["split"]["text"]
    assert found["constant frames"]["verdict"] == "ok"  # a source may be zero
    code, found = _audit(tmp_path / "train" / "pairs.csv", "--conditions", "Source")
    assert code == 0
    assert "all 1 of 1 runs" in found["pairs"]["text"]
