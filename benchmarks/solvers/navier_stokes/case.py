"""A run: its flow on a fine grid, how it starts, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import forcing
import starts
from modes import Grid, Modes, Real
from stepping import Flow

STARTS = ("ring", "gaussian", "taylor-green")
FORCES = ("ring", "diagonal", "none")


@dataclass(frozen=True)
class Case:
    """Everything that names a run but its seed. Lengths in sides of the unit torus, the unit of time is free.

    Attributes
    ----------
    points, saved : int
        Points a side of the solver, and of the frames: modes that the coarser grid does not hold are cut off.
    viscosity, drag : float
    start, force : str
        One of `STARTS`, one of `FORCES`.
    start_waves, energy : float
        Of a start by a ring.
    force_waves, amplitude : float
        Wavenumber of a ring of force; root mean square of a ring, or the factor of the diagonal force.
    dt, interval : float
        Longest step, and time between frames.
    frames : int
    first_frame : float
        Time of the first one.
    coarse_until : float
        Until then the solver runs at half the points: spin-up that no frame shows.
    dtype : str
    """

    points: int = 256
    saved: int = 64
    viscosity: float = 3e-5
    drag: float = 0.2
    start: str = "ring"
    start_waves: float = 4.0
    energy: float = 0.5
    force: str = "ring"
    force_waves: float = 8.0
    amplitude: float = 130.0
    dt: float = 2e-3
    interval: float = 0.125
    frames: int = 60
    first_frame: float = 5.0
    coarse_until: float = 4.0
    dtype: str = "float32"

    @property
    def fine_grid(self) -> Grid:
        """Of the solver."""
        return Grid.dealiased(self.points, dtype=self.dtype)

    @property
    def saved_grid(self) -> Grid:
        """Of the frames: all modes below its Nyquist wavenumber."""
        return Grid(self.saved, self.saved // 2 - 1, dtype=self.dtype)

    def steady_force(self, grid: Grid, seed: int) -> Modes | None:
        """What drives this run."""
        match self.force:
            case "ring":
                fine, waves = self.fine_grid, self.force_waves
                force = forcing.random_ring(fine, seed, waves=waves, rms=self.amplitude)
                return fine.resample(force, grid)
            case "diagonal":
                return forcing.diagonal(grid, self.amplitude)
            case _:
                return None

    def beginning(self, seed: int) -> Modes:
        """Vorticity at time 0 on the fine grid."""
        match self.start:
            case "ring":
                waves, energy = self.start_waves, self.energy
                return starts.ring(self.fine_grid, seed, waves=waves, energy=energy)
            case "gaussian":
                return starts.gaussian(self.fine_grid, seed)
            case _:
                return starts.taylor_green(self.fine_grid)

    def flow(self, seed: int) -> Flow:
        """The equation with this run's force."""
        grid = self.fine_grid
        return Flow(grid, self.viscosity, self.drag, self.steady_force(grid, seed))

    def spun_up(self, seed: int) -> Modes:
        """Vorticity of the first frame on the fine grid."""
        fine, flow, vorticity = self.fine_grid, self.flow(seed), self.beginning(seed)
        if self.coarse_until:
            half = Grid.dealiased(self.points // 2, dtype=self.dtype)
            force = self.steady_force(half, seed)
            coarse = replace(flow, grid=half, force=force)
            vorticity = coarse.run(fine.resample(vorticity, half), self.coarse_until)
            vorticity = half.resample(vorticity, fine)
        return flow.run(vorticity, self.first_frame - self.coarse_until, longest=self.dt)

    def trajectory(self, seed: int) -> Iterator[tuple[float, Modes]]:
        """(time, vorticity on the fine grid) of every frame."""
        flow, vorticity = self.flow(seed), self.spun_up(seed)
        for frame in range(self.frames):
            if frame:
                vorticity = flow.run(vorticity, self.interval, longest=self.dt)
            yield self.first_frame + frame * self.interval, vorticity

    def filtered(self, modes: Modes) -> Real:
        """Values at the saved points, (saved, saved)."""
        grid = self.saved_grid
        return grid.to_points(self.fine_grid.resample(modes, grid))
