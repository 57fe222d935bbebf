"""flux_transport against what is known exactly: rotation, diffusion, emergence, conservation."""

import numpy as np
import pytest
from integration.flux_transport_tools import (
    CARRINGTON,
    PATCH,
    RADIUS,
    centres,
    read,
    solve,
    write_start,
)

DAY = 86400


def rotated(folder, nx):
    """Relative L1 error of a wide bump after 80 degrees, on nx x nx / 8 cells and steps to match."""
    lon = centres(0, 360, nx)

    def bump(middle):
        distance = np.angle(np.exp(1j * (lon - np.radians(middle))))
        return np.tile(np.exp(-((distance / 0.6) ** 2)), (nx // 8, 1))

    start = write_start(
        folder / f"start_{nx}.h5", bump(100), lon_range=(0, 360), lat_range=(-20, 20),
        rotation_a=CARRINGTON + 80,
    )  # fmt: skip
    solve(restart=start, frames=2, interval=24, refresh=960 / nx, output=folder / f"end_{nx}.h5")
    error = read(folder / f"end_{nx}.h5")["br"][1] - bump(180)
    return np.abs(error).sum() / bump(180).sum()


def test_rigid_rotation_converges_with_second_order(tmp_path):
    coarse, fine = rotated(tmp_path, 64), rotated(tmp_path, 128)
    assert fine < 0.01
    assert 1.7 < np.log2(coarse / fine) < 2.7


def test_a_sectoral_harmonic_decays_as_diffusion_says(tmp_path):
    degree, eta = 8, 2e4  # km2/s
    lat, lon = centres(-60, 60, 96), centres(0, 360, 256)
    mode = np.cos(lat)[:, None] ** degree * np.cos(degree * lon)
    start = write_start(
        tmp_path / "start.h5", mode, lon_range=(0, 360), lat_range=(-60, 60), eta=eta
    )
    solve(restart=start, frames=2, interval=24, output=tmp_path / "end.h5")
    inner = np.abs(lat) < np.radians(30)
    ratio = (read(tmp_path / "end.h5")["br"][1] * mode)[inner].sum() / (mode**2)[inner].sum()
    expected = np.exp(-degree * (degree + 1) * eta * 1e6 * DAY / RADIUS**2)
    assert expected < 0.8
    assert ratio == pytest.approx(expected, rel=3e-3)


def test_without_a_flow_br_grows_by_what_emerges(tmp_path):
    still = {"eta": 0, "speed": 0, "meridional": 0, "rotation_b": 0, "rotation_c": 0}
    still["rotation_a"] = repr(CARRINGTON)
    solve(**PATCH, **still, ephemerals=2e4, frames=3, output=tmp_path / "f.h5")
    frames = read(tmp_path / "f.h5")
    grown = np.diff(frames["br"], axis=0)
    assert np.abs(grown).max() > 1
    np.testing.assert_allclose(grown, 4 * frames["source"][:-1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("boundary", ["wall", "open"])
def test_flux_is_conserved_but_for_what_emerges_and_leaves(boundary):
    report = solve(**PATCH, lat_boundary=boundary, ephemerals=5000, frames=2, seed=3)
    change = report["net_flux_final"] - report["net_flux_initial"]
    assert report["flux_out"] != 0
    missing = change - report["flux_emerged"] + report["flux_out"]
    assert abs(missing) < 1e-13 * report["unsigned_flux_initial"] * report["steps"]


def test_the_whole_circle_between_walls_keeps_its_flux_and_bipoles_bring_none():
    whole = {"nx": 128, "ny": 64, "lat_range": "-60,60", "radius": 60}
    report = solve(**whole, lat_boundary="wall", regions=100, ephemerals=0, frames=2, seed=3)
    unsigned = report["unsigned_flux_final"]
    assert report["flux_out"] == 0
    change = report["net_flux_final"] - report["net_flux_initial"]
    assert abs(change - report["flux_emerged"]) < 1e-13 * unsigned
    assert abs(report["flux_emerged"]) < 1e-13 * unsigned
