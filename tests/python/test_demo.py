"""The demo's numerics: what a frame is on another grid, and how it is scored."""

import numpy as np
import pytest

from surrogate.demo.frames import STATE, Frame, prolong, restrict
from surrogate.demo.score import field_errors, mean_error, worst_over


def averages(n, wave):
    """Exact cell averages of cos(2 π wave x) on n cells."""
    edges = np.arange(n + 1) / n
    primitive = np.sin(2 * np.pi * wave * edges) / (2 * np.pi * wave)
    return np.diff(primitive) * n


def smooth(n):
    """A smooth frame of n² cells with a mean field, restricted from one 32 times finer."""
    fine = 512
    x = np.arange(fine) / fine
    wave = np.outer(averages(fine, 1), averages(fine, 2))
    az = 0.1 * np.outer(np.sin(2 * np.pi * x), np.cos(4 * np.pi * x))
    whole = Frame(2.0 + 0.5 * wave, 0.3 * wave.T, 1.0 - wave, 3.0 + wave.T, az, 0.5, b0=(0.2, -0.1))
    return restrict(whole, fine // n)


def noisy(n, seed=0):
    random = np.random.default_rng(seed)
    u = random.uniform(0.5, 1.5, (5, n, n))
    return Frame(u[0], u[1] - 1.0, u[2] - 1.0, u[3], 0.01 * u[4], 0.0)


def totals(frame):
    bx, by = frame.b
    cx, cy = 0.5 * (bx + np.roll(bx, -1, 1)), 0.5 * (by + np.roll(by, -1, 0))
    energy = frame.p / (frame.gamma - 1) + 0.5 * (
        frame.rho * (frame.vx**2 + frame.vy**2) + cx**2 + cy**2
    )
    return [u.mean() for u in (frame.rho, frame.rho * frame.vx, frame.rho * frame.vy, energy)]


def test_restriction_conserves_mass_momentum_and_energy():
    fine = noisy(32)
    np.testing.assert_allclose(totals(restrict(fine)), totals(fine), rtol=1e-13)


def test_prolongation_converges_at_more_than_third_order_in_every_field():
    errors = {}
    for n in (32, 64):
        fine, found = smooth(2 * n), prolong(smooth(n))
        errors[n] = {
            name: np.abs(getattr(found, name) - getattr(fine, name)).max() for name in STATE
        }
    orders = {name: np.log2(errors[32][name] / errors[64][name]) for name in STATE}
    assert min(orders.values()) > 3.9, orders


def test_prolongation_then_restriction_is_the_identity():
    coarse = smooth(32)
    again = restrict(prolong(coarse))
    for name in STATE:
        np.testing.assert_allclose(getattr(again, name), getattr(coarse, name), atol=1e-13)


def test_the_field_has_no_divergence():
    frame = noisy(16)
    bx, by = frame.b
    divergence = np.roll(bx, -1, 1) - bx + np.roll(by, -1, 0) - by
    assert np.abs(divergence).max() <= 1e-13 * np.abs(bx).max()


def test_no_error_against_itself_and_one_against_the_mean():
    frame = noisy(16)
    assert mean_error(field_errors(frame, frame)) == 0.0
    flat = Frame(
        *(np.full_like(u, u.mean()) for u in (frame.rho, frame.vx, frame.vy, frame.p, frame.az)),
        0.0,
    )
    errors = field_errors(flat, frame)
    assert errors["rho"] == pytest.approx(1.0)


def test_the_potential_is_scored_by_its_field_so_that_a_gauge_changes_nothing():
    frame = noisy(16)
    moved = Frame(frame.rho, frame.vx, frame.vy, frame.p, frame.az + 7.0, 0.0)
    assert mean_error(field_errors(moved, frame)) < 1e-12


@pytest.mark.parametrize("seconds", [0.01, 0.03])
@pytest.mark.parametrize("error", [0.1, 0.3])
def test_the_verdict_names_each_contender_once_as_its_subject(seconds, error):
    from surrogate.cli.demo import _verdict

    figures = {
        "error": error,
        "error_on_coarse_grid": error,
        "persistence_error": 0.9,
        "worst_field": "rho",
        "worst_field_over_persistence": 0.2,
        "accepted": 1,
        "states": 1,
        "max_div_b": 0.0,
        "coarse_solver_error": 0.2,
        "coarse_solver_error_on_fine_grid": 0.2,
        "coarse_solver_error_on_coarse_grid": 0.2,
        "surrogate_seconds": seconds,
        "coarse_solver_seconds": 0.02,
        "cell_steps_per_second": 1e7,
    }
    (line,) = (line for line in _verdict(figures).splitlines() if "half-resolution" in line)
    wins = [("half-resolution solver", "surrogate")[k] for k in (error < 0.2, seconds < 0.02)]
    if wins[0] == wins[1]:
        assert f"the {wins[0]} is closer and faster than the" in line
    else:
        assert f"the {wins[0]} is closer, the {wins[1]} is faster" in line
    assert line.count("half-resolution solver") == 1


def test_the_worst_field_is_the_one_with_the_largest_ratio():
    assert worst_over({"a": 0.2, "b": 0.3}, {"a": 0.4, "b": 1.0}) == ("a", 0.5)
