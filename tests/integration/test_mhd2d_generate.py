"""The data set script: makes what is missing, leaves what is there."""

import subprocess
import sys

from integration.mhd2d_tools import SOURCE, find_solver, read, solve


def generate(folder, trajectories):
    command = [
        sys.executable,
        SOURCE / "generate.py",
        "--solver",
        find_solver(),
        "--out",
        folder,
        "--nx",
        "16",
    ]
    command += [
        "--trajectories",
        str(trajectories),
        "--first-seed",
        "4",
        "--frames",
        "2",
        "--interval",
        "0.05",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_dataset_is_made_and_resumed(tmp_path):
    assert "2 to make" in generate(tmp_path / "data", 2)
    first = tmp_path / "data" / "trajectory_000004.h5"
    before = first.stat().st_mtime_ns
    assert "2 of 3 trajectories are there, 1 to make" in generate(tmp_path / "data", 3)
    assert first.stat().st_mtime_ns == before
    assert sorted(path.name for path in first.parent.iterdir()) == [
        f"trajectory_{n:06d}.h5" for n in (4, 5, 6)
    ]


def test_a_trajectory_is_what_the_solver_makes_of_its_seed(tmp_path):
    generate(tmp_path / "data", 1)
    solve(seed=4, nx=16, t_end=0.25, precision="single", output=tmp_path / "direct.h5")
    direct, made = read(tmp_path / "direct.h5"), read(tmp_path / "data" / "trajectory_000004.h5")
    assert all((direct[name][0] == made[name][0]).all() for name in direct.fields)
    assert list(made.time) == [0.25, 0.3]
