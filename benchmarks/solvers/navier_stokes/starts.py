"""Initial vorticity: random fields, and the Taylor–Green vortices whose decay is known."""

from __future__ import annotations

import numpy as np
from modes import Grid, Modes


def white(grid: Grid, seed: int) -> Modes:
    """Complex Gaussian modes with ⟨|ω|²⟩ = 1, those of a real field without mean."""
    points = 2 * grid.kept + 2
    noise = np.random.default_rng(seed).standard_normal((points, points))
    modes = Grid(points, grid.kept, grid.length, "float64").to_modes(noise) * points
    modes[0, 0] = 0
    return modes


def gaussian(grid: Grid, seed: int) -> Modes:
    """A draw of the Gaussian measure N(0, 7^(3/2) (−Δ + 49)^(−5/2)) on the unit torus (Li et al. 2021)."""
    spread = 7**0.75 * (grid.k_squared.astype(np.float64) + 49) ** -1.25
    return np.asarray(spread * white(grid, seed), grid.complex_dtype)


def ring(grid: Grid, seed: int, *, waves: float, energy: float) -> Modes:
    """Random phases around a wavenumber (waves a side), with the given energy ⟨u²⟩ / 2."""
    envelope = grid.wavenumber * np.exp(-(((grid.wavenumber - waves) / 1.5) ** 2))
    vorticity = envelope * white(grid, seed)
    now = (grid.weight * np.abs(vorticity) ** 2 * grid.inverse_k_squared).sum() / 2
    return np.asarray(vorticity * np.sqrt(energy / now), grid.complex_dtype)


def taylor_green(grid: Grid, waves: int = 1) -> Modes:
    """ω = 2k cos(kx) cos(ky), a steady flow of Euler's equations; under viscosity it decays as exp(−2νk²t)."""
    vorticity = np.zeros(grid.shape, grid.complex_dtype)
    k = 2 * np.pi * waves / grid.length
    vorticity[waves, waves] = vorticity[-waves, waves] = k / 2
    return vorticity
