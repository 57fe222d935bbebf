"""The spectral Navier–Stokes solver: exact solutions, budgets, order, and what generate.py writes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate.io.hdf5 import FrameFile

# The solver's modules are a script's: they import one another by their own names.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks/solvers/navier_stokes"))

import forcing
import generate
import starts
import twins
from case import Case
from modes import Grid
from stepping import Flow
from vorticity import Advection, integrals, velocity

GRID = Grid.dealiased(32, dtype="float64")
TINY = Case(
    points=32,
    saved=16,
    viscosity=1e-3,
    force_waves=4.0,
    amplitude=20.0,
    interval=0.05,
    frames=3,
    first_frame=0.1,
    coarse_until=0.05,
)


def test_modes_and_points_are_each_others_inverse() -> None:
    modes = starts.white(GRID, 0)
    np.testing.assert_allclose(GRID.to_modes(GRID.to_points(modes)), modes, atol=1e-14)


def test_a_filtered_field_has_the_coarse_grids_modes_and_no_others() -> None:
    coarse = Grid(16, 7, dtype="float64")
    modes = starts.white(GRID, 0)
    cut = GRID.resample(modes, coarse)
    np.testing.assert_array_equal(coarse.resample(cut, GRID)[:8, :8], modes[:8, :8])
    assert integrals(cut, coarse).enstrophy < integrals(modes, GRID).enstrophy


def test_velocity_is_free_of_divergence_and_its_curl_is_the_vorticity() -> None:
    modes = starts.white(GRID, 1)
    u, v = velocity(modes, GRID)
    ky, kx = GRID.k
    np.testing.assert_allclose(kx * u + ky * v, 0, atol=1e-12)
    np.testing.assert_allclose(1j * (kx * v - ky * u), modes, atol=1e-12)


def test_advection_is_that_of_the_plain_form_and_conserves_energy_and_enstrophy() -> None:
    modes = starts.ring(GRID, 0, waves=4, energy=0.5)
    ky, kx = GRID.k
    u, v = (GRID.to_points(part) for part in velocity(modes, GRID))
    gradient = GRID.to_points(1j * kx * modes), GRID.to_points(1j * ky * modes)
    plain = -GRID.to_modes(u * gradient[0] + v * gradient[1])
    found = Advection(GRID)(modes)
    np.testing.assert_allclose(found, plain, atol=1e-10 * np.abs(plain).max())
    product = GRID.weight * (found * np.conj(modes)).real
    scale = np.abs(product).sum()
    assert abs(product.sum()) < 1e-12 * scale
    assert abs((product * GRID.inverse_k_squared).sum()) < 1e-12 * scale


def test_taylor_green_vortices_decay_as_they_must() -> None:
    viscosity, drag, time = 1e-3, 0.1, 0.5
    start = starts.taylor_green(GRID)
    found = Flow(GRID, viscosity, drag).run(start, time)
    decay = np.exp(-(2 * viscosity * (2 * np.pi) ** 2 + drag) * time)
    np.testing.assert_allclose(found, decay * start, atol=1e-12)


def test_the_budgets_of_energy_and_enstrophy_close() -> None:
    viscosity, drag = 1e-3, 0.2
    force = forcing.random_ring(GRID, 3, waves=4, rms=20)
    flow = Flow(GRID, viscosity, drag, force)
    modes = flow.run(starts.ring(GRID, 0, waves=4, energy=0.5), 0.1)
    dt = 1e-4
    before, now, after = (integrals(flow.steps(modes, dt, n), GRID) for n in (0, 1, 2))
    middle = flow.steps(modes, dt, 1)
    work = GRID.weight * (force * np.conj(middle)).real
    power, injected = (work * GRID.inverse_k_squared).sum(), work.sum()
    energy = power - 2 * viscosity * now.enstrophy - 2 * drag * now.energy
    enstrophy = injected - 2 * viscosity * now.palinstrophy - 2 * drag * now.enstrophy
    assert (after.energy - before.energy) / (2 * dt) == pytest.approx(energy, rel=1e-4)
    assert (after.enstrophy - before.enstrophy) / (2 * dt) == pytest.approx(enstrophy, rel=1e-4)


def test_the_error_falls_with_the_fourth_power_of_the_step() -> None:
    flow = Flow(GRID, 1e-3, 0.1, forcing.diagonal(GRID))
    start = starts.ring(GRID, 0, waves=4, energy=0.5)
    coarse, fine, exact = (flow.steps(start, 0.08 / n, n) for n in (8, 16, 128))
    ratio = np.linalg.norm(coarse - exact) / np.linalg.norm(fine - exact)
    assert 13 < ratio < 19


def test_single_precision_changes_a_turnover_by_rounding_only() -> None:
    single, double = (replace(TINY, dtype=dtype).spun_up(5) for dtype in ("float32", "float64"))
    assert single.dtype == np.complex64
    assert np.linalg.norm(single - double) < 1e-4 * np.linalg.norm(double)


def test_a_run_that_is_interrupted_at_a_frame_goes_on_as_if_it_were_not() -> None:
    frames = [modes for _, modes in TINY.trajectory(7)]
    again = TINY.flow(7).run(frames[1], TINY.interval, longest=TINY.dt)
    np.testing.assert_array_equal(again, frames[2])


def test_steps_are_short_enough_for_a_flow_ten_times_as_fast() -> None:
    slow = starts.ring(GRID, 0, waves=4, energy=0.5)
    flow = Flow(GRID, 1e-3)
    assert flow.longest_step(10 * slow) == pytest.approx(flow.longest_step(slow) / 10)
    assert np.isfinite(flow.run(10 * slow, 0.1)).all()


def test_a_flow_that_is_no_longer_finite_is_an_error() -> None:
    with pytest.raises(FloatingPointError, match="32 points a side"):
        Flow(GRID, 1e-3).run(np.full(GRID.shape, np.nan, np.complex128), 0.1)


def test_twins_share_the_filtered_frame_and_the_spectrum() -> None:
    fine, coarse = TINY.fine_grid, TINY.saved_grid
    modes = TINY.spun_up(1)
    other = twins.twin(modes, fine, coarse, 0)
    np.testing.assert_array_equal(TINY.filtered(other), TINY.filtered(modes))
    np.testing.assert_allclose(np.abs(other), np.abs(modes), rtol=1e-5)
    assert np.linalg.norm(other - modes) > 0
    # of a real field: values at the points give the same modes back
    np.testing.assert_allclose(fine.to_modes(fine.to_points(other)), other, atol=1e-4)


def test_a_trajectory_is_a_recording_that_its_seed_determines(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        generate.record(TINY, 3, tmp_path / name)
    generate.record(TINY, 4, tmp_path / "c.h5")
    files = [FrameFile(tmp_path / f"{name}.h5") for name in "abc"]
    a, b, c = (file.read("omega", 0, 3) for file in files)
    assert files[0].names == ("force", "omega")
    np.testing.assert_allclose(files[0].times(), [0.1, 0.15, 0.2])
    assert files[0].spacing == (1 / 16, 1 / 16)
    assert files[0].constants["viscosity"] == 1e-3
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).max() > 1
    for file in files:
        file.close()


def test_trajectories_that_are_there_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trajectory_000000.h5").write_bytes(b"there")
    monkeypatch.setattr(sys, "argv", ["generate.py", f"--out={tmp_path}", "--trajectories=1"])
    assert generate.main() == 0
    assert "1 of 1 trajectories are there" in capsys.readouterr().out
    assert (tmp_path / "trajectory_000000.h5").read_bytes() == b"there"
