"""flux_transport's frames: what they hold, on any number of ranks, and how a run goes on from them."""

import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
from integration.flux_transport_tools import (
    FIELDS,
    PATCH,
    SOURCE,
    centres,
    hmi_map,
    read,
    solve,
    start,
)
from integration.solver_process import find_binary

from surrogate.io.frames import FrameFile


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Three frames, 4 h apart, after 4 h of spin-up."""
    path = tmp_path_factory.mktemp("recorded") / "frames.h5"
    solve(**PATCH, seed=5, ephemerals=5000, first_frame=4, frames=3, output=path)
    return path


def same_bits(a, b):
    return [name for name in FIELDS if a[name].tobytes() != b[name].tobytes()] == []


@pytest.mark.parametrize("ranks", [2, pytest.param(6, marks=pytest.mark.full)])
def test_any_number_of_ranks_gives_the_same_bits(recorded, tmp_path, ranks):
    options = {"seed": 5, "ephemerals": 5000, "first_frame": 4, "frames": 3}
    solve(**PATCH, **options, ranks=ranks, output=tmp_path / "frames.h5")
    assert same_bits(read(tmp_path / "frames.h5"), read(recorded))


def test_the_seam_of_the_full_circle_is_no_place(tmp_path):
    """The same Sun, cut open elsewhere: the frames turn with the cut."""
    circle = {"nx": 128, "ny": 8, "lat_range": "-10,10", "radius": 40, "frames": 2}
    solve(**circle, lon_range="0,360", output=tmp_path / "a.h5")
    solve(**circle, lon_range="90,450", output=tmp_path / "b.h5")
    a, b = read(tmp_path / "a.h5"), read(tmp_path / "b.h5")
    for name in FIELDS:
        np.testing.assert_allclose(
            np.roll(a[name], -32, axis=2), b[name], atol=1e-7 * np.abs(a[name]).max(), rtol=0
        )


def test_means_are_those_of_the_flow_over_the_interval_that_follows(recorded, tmp_path):
    often = {"seed": 5, "ephemerals": 5000, "first_frame": 4, "frames": 17, "interval": 0.25}
    solve(**PATCH, **often, output=tmp_path / "often.h5")
    fine, coarse = read(tmp_path / "often.h5"), read(recorded)
    for name in ("vlon", "vlat"):
        mean = np.trapezoid(fine[name], axis=0) / 16
        assert np.abs(mean - fine[name][0]).max() > 10
        np.testing.assert_allclose(coarse[f"{name}_mean"][0], mean, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(coarse[name][0], fine[name][0])
    np.testing.assert_allclose(coarse["source"][0], fine["source"][:16].mean(0), atol=1e-12)


def test_a_restart_goes_on_to_the_bit(recorded, tmp_path):
    solve(restart=recorded, restart_frame=1, frames=2, output=tmp_path / "more.h5")
    more, whole = read(tmp_path / "more.h5"), read(recorded)
    assert list(more.time) == list(whole.time[1:])
    for name in FIELDS:
        np.testing.assert_array_equal(more[name], whole[name][1:])


def test_a_restart_on_half_the_cells_restricts_the_frame_and_keeps_the_flow(recorded, tmp_path):
    solve(restart=recorded, nx=48, ny=24, restart_frame=-3, frames=2, output=tmp_path / "half.h5")
    half, whole = read(tmp_path / "half.h5"), read(recorded)
    weight = np.broadcast_to(whole.area, (48, 96)).reshape(24, 2, 48, 2)
    restricted = (whole["br"][0].reshape(24, 2, 48, 2) * weight).sum((1, 3)) / weight.sum((1, 3))
    np.testing.assert_allclose(half["br"][0], restricted, rtol=1e-12, atol=1e-12)
    flow = whole["vlat"][0].reshape(24, 2, 48, 2).mean((1, 3))
    inner = np.s_[1:-1, 1:-1]
    assert np.corrcoef(half["vlat"][0][inner].ravel(), flow[inner].ravel())[0, 1] > 0.95


def test_supergranules_are_outflows_of_the_size_and_speed_that_are_asked_for(tmp_path):
    solve(**PATCH, speed=400, radius=15, meridional=0, output=tmp_path / "f.h5")
    v = read(tmp_path / "f.h5")["vlat"][0][1:-1]
    assert 100 < v.std() < 300
    assert np.abs(v).max() < 2000
    rows = np.array(
        [np.corrcoef(v[k:].ravel(), v[: len(v) - k].ravel())[0, 1] for k in range(1, 9)]
    )
    first_negative = np.argmax(rows < 0) + 1  # cells of 3.8 Mm, along the flow's direction
    assert 2 <= first_negative <= 5


def test_the_seed_decides_the_flow_and_what_emerges(recorded, tmp_path):
    solve(**PATCH, seed=6, first_frame=4, output=tmp_path / "other.h5")
    one, two = read(recorded), read(tmp_path / "other.h5")
    for name in ("br", "vlat"):
        assert abs(np.corrcoef(one[name][0].ravel(), two[name][0].ravel())[0, 1]) < 0.3


def test_frames_are_a_recording_with_units_and_constants(recorded):
    with FrameFile(recorded) as frames:
        assert frames.is_recording
        assert {name: frames.unit(name) for name in frames.names} == {
            "br": "G", "source": "G/h", **dict.fromkeys(FIELDS[1:5], "m/s"),
        }  # fmt: skip
        assert frames.shape == (48, 96)
        assert frames.constants["ephemerals"] == 5000
        assert frames.constants["west"] == 10
        assert frames.attribute("seed") == 5
        assert list(frames.times()) == [4, 8, 12]


def test_a_map_lands_where_its_axes_say(tmp_path):
    lon, colat = np.linspace(0, 2 * np.pi, 129), np.linspace(0, np.pi, 65)
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["Data"] = np.cos(colat)[:, None] * 30 + np.sin(lon) * 10
        file["dim1"], file["dim2"] = lon, colat
    solve(map=tmp_path / "map.h5", nx=64, ny=24, lat_range="-40,50", output=tmp_path / "f.h5")
    expected = np.sin(centres(-40, 50, 24))[:, None] * 30 + np.sin(centres(0, 360, 64)) * 10
    np.testing.assert_allclose(read(tmp_path / "f.h5")["br"][0], expected, rtol=0, atol=0.05)


def test_the_start_from_the_real_map_has_its_field_and_its_flux(tmp_path):
    path = hmi_map()
    sector = {"nx": 256, "ny": 128, "lon_range": "180,360", "lat_range": "-45,45"}
    solve(map=path, **sector, output=tmp_path / "f.h5")
    frames = read(tmp_path / "f.h5")
    with h5py.File(path) as file:
        br = file["Data"][128:384, 512:1024][::-1].astype(float)  # +-45 deg, south first
    restricted = br.reshape(128, 2, 256, 2).mean((1, 3))
    assert np.corrcoef(restricted.ravel(), frames["br"][0].ravel())[0, 1] > 0.9
    assert np.abs(frames["br"][0]).max() > 300
    assert (frames["br"][0] * frames.area).sum() == pytest.approx(br.mean(), abs=1)


BAD = [
    ({"speeed": 3}, "--speeed: there is no such option"),
    ({"eta": -1}, "--eta: got '-1', expected 0 to 100000 .km2/s"),
    ({"nx": "12.5"}, "--nx: got '12.5', expected an integer"),
    ({"lon_range": "0"}, "--lon-range: got '0', expected two numbers"),
    ({"lat_range": "40,20"}, "--lat-range: expected SOUTH,NORTH"),
    ({"interval": 0.1}, "--interval: got 0.1.* hours, expected a multiple of --refresh"),
    ({"lat_boundary": "closed"}, "--lat-boundary: got 'closed', expected one of open, wall"),
    ({"map": "nowhere.h5"}, "--map: there is no file nowhere.h5"),
    ({"output": "nowhere/frames.h5"}, "--output: .*nowhere"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[next(iter(o)) for o, _ in BAD])
def test_an_option_that_makes_no_sense_is_named(options, said):
    done = start(**(PATCH | {"nx": 16, "ny": 16, "speed": 0} | options))
    assert done.returncode == 2
    assert done.stderr.count("flux_transport: ") == 1
    assert re.search(said, done.stderr)


RESTARTS = [
    ({"nx": 50}, "got 50 x 128, expected integer fractions of the frame's 96 x 48"),
    ({"restart_frame": 3}, "--restart-frame 3: .* holds 3 frames"),
    ({"lat_range": "0,1"}, "--lat-boundary: with --restart they are those of its file"),
    ({"restart": __file__}, "--restart: .* is no complete HDF5 file"),
]


@pytest.mark.parametrize(("options", "said"), RESTARTS, ids=[next(iter(o)) for o, _ in RESTARTS])
def test_a_restart_that_is_impossible_says_why(options, said, recorded):
    done = start(**({"restart": recorded} | options))
    assert done.returncode == 2
    assert re.search(said, done.stderr)


def generate(*arguments):
    command = [sys.executable, SOURCE / "generate.py", "--solver", find_binary("flux_transport")]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_script_makes_frames_from_a_seed(tmp_path):
    out = tmp_path / "folder" / "small.h5"
    size = ("--cells", "64", "32", "--longitudes", "0", "45", "--latitudes", "-10", "10")
    short = (
        "--map",
        "none",
        "--frames",
        "2",
        "--spin-up",
        "0",
        "--start",
        "1977.01.02_00:00:00_TAI",
    )
    done = generate("--out", out, *size, *short)
    assert done.returncode == 0, done.stderr
    frames = read(out)
    assert frames["br"].shape == (2, 32, 64)
    assert frames.scalars["start_time"] == 86400


def test_the_script_says_where_it_looks_for_a_map(tmp_path, monkeypatch):
    monkeypatch.delenv("SURROGATE_DATA", raising=False)
    done = generate("--out", tmp_path / "f.h5")
    assert done.returncode == 2
    assert "SURROGATE_DATA" in done.stderr
