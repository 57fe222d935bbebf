"""Steady forces on the vorticity."""

from __future__ import annotations

import numpy as np
from modes import Grid, Modes
from starts import white

HALF_WIDTH = 1.0
"""Of the ring of a random force, in waves a side."""


def diagonal(grid: Grid, amplitude: float = 0.1) -> Modes:
    """F = A [sin(2π(x + y)) + cos(2π(x + y))], x and y in sides of the square (Li et al. 2021)."""
    force = np.zeros(grid.shape, grid.complex_dtype)
    force[1, 1] = amplitude * (1 - 1j) / 2  # the conjugate at (-1, -1) is not stored
    return force


def random_ring(grid: Grid, seed: int, *, waves: float, rms: float) -> Modes:
    """Random phases and amplitudes of all modes with |wavenumber − `waves`| <= 1, root mean square `rms`."""
    ring = np.abs(grid.wavenumber - waves) <= HALF_WIDTH
    force = white(grid, seed) * ring
    now = np.sqrt((grid.weight * np.abs(force) ** 2).sum())
    return np.asarray(force * rms / now, grid.complex_dtype)
