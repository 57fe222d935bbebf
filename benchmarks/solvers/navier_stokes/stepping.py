"""Time stepping: 4th-order Runge–Kutta on the advection, the linear terms exact by an integrating factor."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from modes import Grid, Modes, Real
from vorticity import Advection


@dataclass(frozen=True)
class Flow:
    """The equation with its numbers, and the step.

    Attributes
    ----------
    grid : Grid
    dt : float
        Step.
    viscosity, drag : float
        ν and μ.
    force : Modes, optional
        Steady force on the vorticity.
    """

    grid: Grid
    dt: float
    viscosity: float
    drag: float = 0.0
    force: Modes | None = None
    advection: Advection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "advection", Advection(self.grid))

    @cached_property
    def _half_decay(self) -> Real:
        """exp(L Δt/2) of the linear part L = −ν k² − μ, (2K + 1, K + 1)."""
        rate = self.viscosity * self.grid.k_squared.astype(np.float64) + self.drag
        return np.exp(-rate * self.dt / 2).astype(self.grid.dtype)

    def tendency(self, vorticity: Modes) -> Modes:
        """−u·∇ω + f."""
        change = self.advection(vorticity)
        return change if self.force is None else change + self.force

    def step(self, vorticity: Modes) -> Modes:
        """The field a step on: RK4 for exp(−Lt) ω (Canuto et al. 2006, section 3.3)."""
        h, decay = np.dtype(self.grid.dtype).type(self.dt), self._half_decay
        now = decay * vorticity
        k1 = decay * self.tendency(vorticity)
        k2 = self.tendency(now + h / 2 * k1)
        k3 = self.tendency(now + h / 2 * k2)
        k4 = self.tendency(decay * (now + h * k3))
        return decay * (now + h / 6 * (k1 + 2 * (k2 + k3))) + h / 6 * k4

    def run(self, vorticity: Modes, steps: int) -> Modes:
        """The field some steps on.

        Raises
        ------
        FloatingPointError
            If it is no longer finite: the step is too long for the velocity.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(steps):
                vorticity = self.step(vorticity)
        if not np.isfinite(vorticity).all():
            raise FloatingPointError(
                f"the vorticity is not finite after {steps} steps: dt = {self.dt} is too long for this flow on "
                f"{self.grid.n} points a side; give a shorter one"
            )
        return vorticity
