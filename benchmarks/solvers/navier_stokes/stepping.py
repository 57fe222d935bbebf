"""Time stepping: 4th-order Runge–Kutta on the advection, the linear terms exact by an integrating factor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from modes import Grid, Modes
from vorticity import Advection, velocity

COURANT = 1.9
"""Largest Δt K max|u| (K the largest wavenumber); RK4 is stable up to √8 = 2.83 for pure advection."""
CHUNK = 20
"""Steps between two looks at max|u|."""


@dataclass(frozen=True)
class Flow:
    """The equation with its numbers, and how it is stepped.

    Attributes
    ----------
    grid : Grid
    viscosity, drag : float
        ν and μ.
    force : Modes, optional
        Steady force on the vorticity.
    """

    grid: Grid
    viscosity: float
    drag: float = 0.0
    force: Modes | None = None
    advection: Advection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "advection", Advection(self.grid))

    def tendency(self, vorticity: Modes) -> Modes:
        """−u·∇ω + f."""
        change = self.advection(vorticity)
        return change if self.force is None else change + self.force

    def steps(self, vorticity: Modes, dt: float, count: int) -> Modes:
        """The field after some steps: RK4 for exp(−Lt) ω, L = −ν k² − μ (Canuto et al. 2006, section 3.3)."""
        rate = self.viscosity * self.grid.k_squared.astype(np.float64) + self.drag
        decay = np.exp(-rate * dt / 2).astype(self.grid.dtype)  # over half a step
        h = np.dtype(self.grid.dtype).type(dt)
        for _ in range(count):
            now = decay * vorticity
            k1 = decay * self.tendency(vorticity)
            k2 = self.tendency(now + h / 2 * k1)
            k3 = self.tendency(now + h / 2 * k2)
            k4 = self.tendency(decay * (now + h * k3))
            vorticity = decay * (now + h / 6 * (k1 + 2 * (k2 + k3))) + h / 6 * k4
        return vorticity

    def longest_step(self, vorticity: Modes) -> float:
        """Step that the fastest point of this field allows."""
        u, v = (self.grid.to_points(part) for part in velocity(vorticity, self.grid))
        speed = float(np.sqrt((u * u + v * v).max()))
        return COURANT / (float(self.grid.k[1].max()) * max(speed, np.finfo(np.float32).tiny))

    def run(self, vorticity: Modes, time: float, *, longest: float = np.inf) -> Modes:
        """The field a time on, by steps as long as the velocity allows.

        Parameters
        ----------
        vorticity : Modes
        time : float
        longest : float
            No step is longer.

        Raises
        ------
        FloatingPointError
            If it is no longer finite.
        """
        left = time
        while left > 0:
            self._check(vorticity)
            count = max(1, int(np.ceil(left / min(self.longest_step(vorticity), longest) - 1e-9)))
            dt, now = left / count, min(count, CHUNK)
            vorticity = self.steps(vorticity, dt, now)
            left = 0.0 if now == count else left - now * dt
        self._check(vorticity)
        return vorticity

    def _check(self, vorticity: Modes) -> None:
        if not np.isfinite(vorticity).all():
            raise FloatingPointError(
                f"the vorticity is not finite on {self.grid.n} points a side: the flow gets faster within {CHUNK} "
                "steps than their length allows; give a smaller dt"
            )
