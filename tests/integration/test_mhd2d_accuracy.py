"""The scheme against exact solutions and published ones."""

import numpy as np
import pytest
from integration.mhd2d_tools import FIELDS, read, solve


def test_a_smooth_wave_converges_at_second_order(tmp_path):
    """Oblique fast wave after one period; L1 error over the amplitude, mean of the fields."""
    amplitude, period = 1e-6, 1 / np.sqrt(20.0)
    errors = []
    for nx in (64, 128, 256):
        times = {"frames": 2, "first_frame": 0, "interval": period}
        solve(problem="wave", nx=nx, output=tmp_path / "wave.h5", **times)
        run = read(tmp_path / "wave.h5")
        errors.append(
            np.mean([np.abs(run[name][1] - run[name][0]).mean() for name in FIELDS]) / amplitude
        )
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert errors[-1] < 2e-3
    assert orders[-1] > 1.85, f"errors {errors}, orders {orders}"
    assert orders[0] > 1.65, f"errors {errors}, orders {orders}"


@pytest.fixture(scope="module")
def brio_wu(tmp_path_factory):
    """The tube right of x = 0.75 at t = 0.05: (x - 0.75) / t, and (rho, vx, vy, p, By)."""
    path, nx, t = tmp_path_factory.mktemp("brio_wu") / "tube.h5", 1024, 0.05
    solve(problem="brio-wu", nx=nx, ny=4, ly=4 / nx, t_end=t, output=path)
    run = read(path)
    state = np.stack([*(run[name][0, 0] for name in FIELDS[:4]), run.cell_field(0)[1][0]])
    speed = ((np.arange(nx) + 0.5) / nx - 0.75) / t
    return speed[nx // 2 :], state[:, nx // 2 :]


# Between the waves: speed at which to look, and rho, vx, vy, p, By there, as in figure 2 of Brio & Wu,
# J. Comput. Phys. 75, 400 (1988): every scheme with a compound wave has them, to 1-2 %.
PLATEAUS = {
    "behind the fast rarefaction": (-0.60, [0.676, 0.637, -0.233, 0.457, 0.585]),
    "left of the contact": (0.10, [0.696, 0.600, -1.583, 0.516, -0.534]),
    "right of the contact": (1.00, [0.235, 0.600, -1.583, 0.516, -0.534]),
    "behind the right fast rarefaction": (2.40, [0.117, -0.245, -0.169, 0.0875, -0.896]),
    "undisturbed right": (4.60, [0.125, 0.0, 0.0, 0.1, -1.0]),
}


@pytest.mark.parametrize("where", PLATEAUS)
def test_brio_wu_has_its_plateaus(brio_wu, where):
    speed, state = brio_wu
    at, expected = PLATEAUS[where]
    here = np.abs(speed - at) < 0.1
    np.testing.assert_allclose(np.median(state[:, here], axis=1), expected, rtol=0.02, atol=0.006)


def test_brio_wu_has_its_waves_where_they_belong(brio_wu):
    speed, (rho, _, vy, _, _) = brio_wu

    def crossing(values, level, low, high):
        inside = np.flatnonzero((speed > low) & (speed < high) & (values > level))
        return speed[inside].max()

    assert crossing(rho, 0.465, -1, 2) == pytest.approx(
        0.600, abs=0.03
    )  # contact, moving with the gas
    assert crossing(rho, 0.176, 1, 3) == pytest.approx(1.457, abs=0.03)  # slow shock
    compound = speed[(speed > -0.5) & (speed < 0)][np.argmax(rho[(speed > -0.5) & (speed < 0)])]
    assert -0.34 < compound < -0.22
    assert rho[(speed > -0.5) & (speed < 0)].max() > 0.76
    assert np.abs(vy[speed > 4.3]).max() < 1e-3  # nothing outruns the fast rarefaction


def test_brio_wu_slow_shock_satisfies_the_jump_conditions(brio_wu):
    """Mass, momentum, energy and By all give the shock the same speed, and it is there."""
    gamma, bx = 2.0, 0.75
    speed, state = brio_wu
    sides = [np.median(state[:, np.abs(speed - at) < 0.1], axis=1) for at in (1.15, 1.75)]

    def conserved_and_flux(side):
        rho, vx, vy, p, by = side
        total = p + (bx**2 + by**2) / 2
        energy = p / (gamma - 1) + (rho * (vx**2 + vy**2) + bx**2 + by**2) / 2
        u = [rho, rho * vx, rho * vy, energy, by]
        f = [rho * vx, rho * vx**2 + total - bx**2, rho * vx * vy - bx * by]
        f += [(energy + total) * vx - bx * (vx * bx + vy * by), vx * by - vy * bx]
        return np.array(u), np.array(f)

    (u_left, f_left), (u_right, f_right) = map(conserved_and_flux, sides)
    expected = (f_right - f_left) / (u_right - u_left)
    rho = state[0]
    found = speed[(speed > 1) & (speed < 3) & (rho > (u_left[0] + u_right[0]) / 2)].max()
    np.testing.assert_allclose(expected, expected.mean(), rtol=0.015)
    assert found == pytest.approx(expected.mean(), abs=0.03)


@pytest.fixture(scope="module")
def orszag_tang(tmp_path_factory):
    """Orszag-Tang at t = 0.5 on 64, 128 and 256 cells a side."""
    folder = tmp_path_factory.mktemp("orszag_tang")
    for nx in (64, 128, 256):
        solve(problem="orszag-tang", nx=nx, t_end=0.5, output=folder / f"{nx}.h5")
    return {nx: read(folder / f"{nx}.h5") for nx in (64, 128, 256)}


def test_orszag_tang_keeps_its_symmetry(orszag_tang):
    """A turn by 180 degrees: rho, p are even, v is odd; az is even about the corner at 0."""
    run = orszag_tang[256]
    for name, sign in {"rho": 1, "p": 1, "vx": -1, "vy": -1}.items():
        np.testing.assert_allclose(run[name][0][::-1, ::-1], sign * run[name][0], atol=1e-8)
    turned = np.roll(run["az"][0][::-1, ::-1], (1, 1), (0, 1))
    np.testing.assert_allclose(turned, run["az"][0], atol=1e-8)


def test_orszag_tang_converges(orszag_tang):
    """L1 differences between resolutions fall by more than first order, shocks and all."""

    def difference(coarse, name):
        fine = orszag_tang[2 * coarse][name][0].reshape(coarse, 2, coarse, 2).mean((1, 3))
        return np.abs(orszag_tang[coarse][name][0] - fine).mean() / np.abs(fine).mean()

    for name in ("rho", "p"):
        assert difference(128, name) < 0.6 * difference(64, name)
        assert difference(128, name) < 0.03


def test_orszag_tang_keeps_its_ranges(orszag_tang):
    """Golden ranges at t = 0.5 on 256 x 256, where rho0 = 25/9 and p0 = 5/3."""
    run = orszag_tang[256]
    rho, p = run["rho"][0], run["p"][0]
    assert rho.min() == pytest.approx(1.05, abs=0.08)
    assert rho.max() == pytest.approx(6.2, abs=0.3)
    assert p.min() == pytest.approx(0.31, abs=0.05)
    assert p.max() == pytest.approx(6.4, abs=0.4)
