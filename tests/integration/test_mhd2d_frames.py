"""Frames: when they are taken, what a restart makes of them, what is said when it cannot."""

import h5py
import numpy as np
import pytest
from integration.mhd2d_tools import FIELDS, read, same_bits, solve, start


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    """Path of a random trajectory, 128 x 128, doubles, t = 0.1, 0.2, 0.3, and its report."""
    path = tmp_path_factory.mktemp("trajectory") / "run.h5"
    report = solve(seed=1, nx=128, frames=3, first_frame=0.1, interval=0.1, b0x=0.1, output=path)
    return path, report


def test_frames_land_on_their_times(trajectory):
    path, report = trajectory
    assert list(read(path).time) == [0.1 + k * 0.1 for k in range(3)]
    assert len(report["seconds_per_interval"]) == len(report["steps_per_interval"]) == 3
    assert sum(report["steps_per_interval"]) == report["steps"]


def test_a_file_says_what_it_holds(trajectory):
    with h5py.File(trajectory[0]) as file:
        assert {name: file[name].attrs["staggering"] for name in FIELDS} == {
            "rho": "cell",
            "vx": "cell",
            "vy": "cell",
            "p": "cell",
            "az": "corner",
        }
        assert all(
            file[name].shape == (3, 128, 128) and file[name].attrs["units"] for name in FIELDS
        )
        assert (
            dict(file.attrs).items()
            >= {"problem": "random", "seed": 1, "b0x": 0.1, "lx": 1.0, "cfl": 0.4}.items()
        )


def test_frames_do_not_disturb_the_state(trajectory, tmp_path):
    """A frame shortens two steps and changes nothing else."""
    solve(seed=1, nx=128, t_end=0.1, b0x=0.1, output=tmp_path / "direct.h5")
    direct, frames = read(tmp_path / "direct.h5"), read(trajectory[0])
    assert all(np.array_equal(direct[name][0], frames[name][0]) for name in FIELDS)


def test_single_precision_is_the_same_run_rounded(trajectory, tmp_path):
    solve(seed=1, nx=128, t_end=0.1, b0x=0.1, precision="single", output=tmp_path / "single.h5")
    single, double = read(tmp_path / "single.h5"), read(trajectory[0])
    for name in FIELDS:
        assert single[name].dtype == np.float32
        assert np.array_equal(single[name][0], double[name][0].astype(np.float32))


def test_a_restart_continues_the_run(trajectory, tmp_path):
    path, _ = trajectory
    for ranks in (1, 3):
        out = tmp_path / f"{ranks}.h5"
        report = solve(
            ranks=ranks,
            restart=path,
            restart_frame=0,
            frames=2,
            interval=0.1,
            first_frame=0.2,
            output=out,
        )
        assert report["time"] == pytest.approx(0.3, abs=1e-15)
    again, before = read(tmp_path / "1.h5"), read(path)
    for name in FIELDS:
        np.testing.assert_allclose(again[name], before[name][1:], atol=1e-10)
    assert same_bits(again, read(tmp_path / "3.h5"))


def test_restriction_conserves_and_keeps_the_flux(trajectory, tmp_path):
    path, _ = trajectory
    fine = read(path)
    for ranks, nx in ((1, 64), (2, 32)):
        report = solve(
            ranks=ranks,
            restart=path,
            restart_frame=-1,
            nx=nx,
            t_end=fine.time[-1],
            output=tmp_path / "c.h5",
        )
        coarse = read(tmp_path / "c.h5")
        assert report["steps"] == 0
        totals = fine.conserved(-1).mean((1, 2))
        np.testing.assert_allclose(coarse.conserved(0).mean((1, 2)), totals, rtol=0, atol=1e-13)
        factor = 128 // nx
        assert np.array_equal(coarse["az"][0], fine["az"][-1][::factor, ::factor])
        means = fine.conserved(-1).reshape(4, nx, factor, nx, factor).mean((2, 4))
        np.testing.assert_allclose(coarse.conserved(0), means, atol=1e-12)


def test_half_resolution_is_near(trajectory, tmp_path):
    path, _ = trajectory
    solve(restart=path, restart_frame=0, nx=64, t_end=0.2, output=tmp_path / "half.h5")
    fine, half = read(path), read(tmp_path / "half.h5")
    expected = fine.conserved(1).reshape(4, 64, 2, 64, 2).mean((2, 4))
    error = np.sqrt(((half.conserved(0) - expected) ** 2).mean((1, 2))) / expected.std((1, 2))
    assert error.max() < 0.15, error
    assert error.min() > 1e-3, error


def test_an_unfinished_file_has_another_name(tmp_path):
    solve(nx=16, t_end=0.01, output=tmp_path / "run.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_missing_restart_file_is_named(tmp_path, ranks):
    done = start(restart=tmp_path / "none.h5", ranks=ranks)
    assert done.returncode != 0
    assert "none.h5" in done.stderr
    assert "No such file" in done.stderr


def test_a_cut_restart_file_is_refused(trajectory, tmp_path):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(trajectory[0].read_bytes()[:4000])
    done = start(restart=cut)
    assert done.returncode != 0
    assert "not a complete HDF5 file" in done.stderr


def test_a_file_without_frames_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["rho"] = np.ones((4, 4))
    done = start(restart=tmp_path / "other.h5")
    assert done.returncode != 0
    assert "expected /rho /vx /vy /p /az" in done.stderr


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"nx": 100}, "no multiple of --nx 100"),
        ({"restart_frame": 7}, "has 3 frames"),
        ({"t_end": 0.05}, "after its first target"),
    ],
)
def test_an_impossible_restart_is_explained(trajectory, options, text):
    done = start(restart=trajectory[0], **options)
    assert done.returncode != 0
    assert text in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--nx", "many"], "--nx: got 'many'"),
        (["--problem", "tokamak"], "expected random, orszag-tang, wave or brio-wu"),
        (["--nonsense"], "unknown option"),
        (["--frames", "3"], "needs a positive --interval"),
        (["--nx", "2"], "fewer than 3 cells"),
        (["--output", "/nowhere/run.h5"], "cannot create /nowhere/run.h5."),
    ],
)
def test_a_wrong_command_line_is_explained(arguments, text):
    done = start(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
