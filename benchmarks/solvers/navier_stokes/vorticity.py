"""The vorticity equation of 2-D incompressible flow, and the integrals that its budgets are made of.

    ∂ω/∂t + u·∇ω = f + ν Δω − μ ω,    ω = ∂x v − ∂y u,    Δψ = −ω,    (u, v) = (∂y ψ, −∂x ψ)

The advection is evaluated as −[∂x∂y (v² − u²) + (∂x² − ∂y²)(u v)] (Basdevant 1983): four transforms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from modes import Grid, Modes, Real


def velocity(vorticity: Modes, grid: Grid) -> tuple[Modes, Modes]:
    """(u, v) along (x, y), modes like those of the vorticity."""
    ky, kx = grid.k
    stream = vorticity * grid.inverse_k_squared
    return 1j * ky * stream, -1j * kx * stream


@dataclass(frozen=True)
class Advection:
    """−u·∇ω in modes, without aliases."""

    grid: Grid

    @cached_property
    def _to_velocity(self) -> tuple[Modes, Modes]:
        """What turns ω into u and v."""
        one = np.ones(self.grid.k_squared.shape, self.grid.complex_dtype)
        u, v = velocity(one, self.grid)
        return u.astype(one.dtype), v.astype(one.dtype)

    @cached_property
    def _to_tendency(self) -> tuple[Real, Real]:
        """−∂x∂y and −(∂x² − ∂y²)."""
        ky, kx = self.grid.k
        return kx * ky, kx**2 - ky**2

    def __call__(self, vorticity: Modes) -> Modes:
        """−u·∇ω, (..., 2K + 1, K + 1)."""
        grid = self.grid
        u, v = (grid.to_points(factor * vorticity) for factor in self._to_velocity)  # (..., n, n)
        mixed, difference = self._to_tendency
        return mixed * grid.to_modes((v - u) * (v + u)) + difference * grid.to_modes(u * v)


@dataclass(frozen=True)
class Integrals:
    """Means over the square.

    Attributes
    ----------
    energy : float
        ⟨u²⟩ / 2.
    enstrophy : float
        ⟨ω²⟩ / 2.
    palinstrophy : float
        ⟨|∇ω|²⟩ / 2.
    length : float
        Integral scale Σ E(k)/k / Σ E(k) with k in waves per unit length: a wavelength.
    """

    energy: float
    enstrophy: float
    palinstrophy: float
    length: float

    @property
    def turnover(self) -> float:
        """Turnover time of the eddies that hold the enstrophy, 2π / ω_rms."""
        return float(2 * np.pi / np.sqrt(2 * self.enstrophy))

    @property
    def large_turnover(self) -> float:
        """Turnover time of the eddies that hold the energy, integral scale over rms velocity."""
        return float(self.length / np.sqrt(2 * self.energy))


def integrals(vorticity: Modes, grid: Grid) -> Integrals:
    """Of one field, modes (2K + 1, K + 1)."""
    power = grid.weight * np.abs(vorticity.astype(np.complex128)) ** 2 / 2
    k2, inverse = grid.k_squared.astype(np.float64), grid.inverse_k_squared.astype(np.float64)
    energy = power * inverse
    total = energy.sum()
    length = 2 * np.pi * (energy * np.sqrt(inverse)).sum() / total
    return Integrals(float(total), float(power.sum()), float((power * k2).sum()), float(length))
