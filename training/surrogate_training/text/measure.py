"""Which shape has appeared in a field, by area, channel means and roundness alone: no net is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogate_training.text.shapes import AREAS, COLOURS, HOLE, Shape

ROUNDNESS = {
    "circle": 1.0,
    "triangle": 3 * np.sqrt(3) / (2 * np.pi),
    "ring": (1 - HOLE**2) / (1 + HOLE**2),
}
"""A² / (2π I) of a form of area A and polar second moment I about its centre: 1 for a disc, less for anything else."""


@dataclass(frozen=True)
class Measured:
    """What an increment holds.

    Attributes
    ----------
    area : float
        Share of the domain whose strongest channel has changed by half a shape's amplitude.
    colour : tuple of float
        Mean change of each channel there.
    roundness : float
        A² / (2π I), see ``ROUNDNESS``.
    """

    area: float
    colour: tuple[float, ...]
    roundness: float

    @property
    def shape(self) -> Shape:
        """The nearest size (by the logarithm of its area), colour and form."""
        colours = COLOURS[len(self.colour)]
        size = min(AREAS, key=lambda s: abs(np.log(max(self.area, 1e-6) / AREAS[s])))
        colour = min(
            colours, key=lambda c: float(np.linalg.norm(np.subtract(self.colour, colours[c])))
        )
        form = min(ROUNDNESS, key=lambda f: abs(self.roundness - ROUNDNESS[f]))
        return Shape(size, colour, form)


def measure(increment: NDArray[np.float32]) -> Measured:
    """Measure u(t2) - u(t1), shape (C, ny, nx), on a periodic square."""
    inside = np.abs(increment).max(0) > 0.5  # (ny, nx)
    count = int(inside.sum())
    if count == 0:
        return Measured(0.0, (0.0,) * len(increment), 0.0)
    y, x = (_centred(inside.sum(1 - axis)) for axis in (0, 1))
    moment = float((inside * (y[:, None] ** 2 + x[None, :] ** 2)).sum()) + count / 6  # a cell's own
    return Measured(
        count / inside.size,
        tuple(float(c[inside].mean()) for c in increment),
        count**2 / (2 * np.pi * moment),
    )


def _centred(counts: NDArray[np.int_]) -> NDArray[np.float64]:
    """Distance of each row from the centre of mass on a periodic axis (n,), in cells."""
    n = len(counts)
    phases = 2 * np.pi * np.arange(n) / n
    centre = np.angle((counts * np.exp(1j * phases)).sum()) * n / (2 * np.pi)
    # the mean angle is only near the mean: one correction brings it there
    offset = (np.arange(n) - centre + n / 2) % n - n / 2
    offset -= (counts * offset).sum() / counts.sum()
    return np.asarray((offset + n / 2) % n - n / 2)
