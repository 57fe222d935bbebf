"""The main job as a user starts it: ``surrogate demo``, on the shipped bundle. Times are reported, never tested."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SURROGATE = Path(sys.executable).with_name("surrogate")
KEYS = {
    "solver_seconds",
    "surrogate_seconds",
    "speedup",
    "error",
    "persistence_error",
    "worst_field_over_persistence",
    "coarse_solver_seconds",
    "coarse_solver_error",
    "cell_steps_per_second",
}


def demo(folder, *options):
    for tool in ("cmake", "mpicc", "mpirun"):
        if shutil.which(tool, path=f"{SURROGATE.parent}:/usr/local/bin:/usr/bin:/bin") is None:
            pytest.skip(f"{tool} is missing: .ci/system-packages installs it")
    command = [SURROGATE, "demo", "--json", "--out", folder, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)


def check(figures):
    assert figures.keys() >= KEYS
    assert figures["accepted"] == figures["states"]
    assert figures["max_div_b"] <= 1e-12
    assert figures["steps_per_jump"] >= 100
    assert 0.3 <= figures["persistence_error"] <= 1.0
    assert figures["error"] <= figures["persistence_error"] / 3
    assert figures["worst_field_over_persistence"] <= 0.5


def test_the_demo_prints_its_figures_and_draws_its_picture(tmp_path):
    done = demo(tmp_path / "demo", "--states", "3", "--repeats", "1")
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout))
    assert "surrogate in" in done.stderr
    assert json.loads((tmp_path / "demo" / "demo.json").read_text())["states"] == 3
    assert (tmp_path / "demo" / "demo.png").stat().st_size > 10_000


def test_an_unknown_bundle_is_one_clear_line(tmp_path):
    done = demo(tmp_path / "demo", "--bundle", "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.full
def test_the_error_holds_on_28_unseen_states(tmp_path):
    done = demo(tmp_path / "demo", "--states", "28", "--repeats", "1")
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout))
