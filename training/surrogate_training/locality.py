"""What an output cell depends on, measured by NaN propagation: one NaN in, count the NaNs out.

NaN survives every operation that a value takes part in, weights of zero included, so the measurement is exact for
the program as exported, not a bound from its layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Program = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Locality:
    """Per axis (y, x, or z, y, x): cells that an output may depend on to each side, and the translations that commute.

    ``grid`` is the number of cells a side that this was measured on; 0: of a net that needs whole frames, which is not
    measured.
    """

    receptive_field: tuple[int, ...]
    stride: tuple[int, ...]
    reduces_over_space: bool
    grid: int

    @classmethod
    def whole(cls, multiple: int, *, axes: int = 2) -> Locality:
        """Of a net whose outputs may depend on every cell: it is never given tiles of a domain."""
        return cls((0,) * axes, (multiple,) * axes, True, 0)


@torch.no_grad()
def measure_locality(
    program: Program, *, channels: int, multiple: int, limit: int = 2048, axes: int = 2
) -> Locality:
    """Measure on grids that double until they are at least four times the receptive field.

    Parameters
    ----------
    program : callable
        (1, C, ny, nx) → (1, C', ny, nx), or with a third axis in front of them.
    channels : int
        C.
    multiple : int
        Grids must be multiples of this; the stride is one of its divisors.
    limit : int
        Cells a side at which a NaN that still reaches everything means a reduction over space.
    axes : int
        Spatial axes.
    """
    n = 8 * multiple
    while True:
        reach = _reach(program, channels, n, (n // 2,) * axes)
        widest = max(max(abs(a), abs(b)) for a, b in reach)
        if 4 * (widest + multiple) <= n:
            break
        if 2 * n > limit:
            return Locality((0,) * axes, (multiple,) * axes, True, n)
        n *= 2
    # a cell's reach depends on its place within a block of `multiple` cells
    reaches = [_reach(program, channels, n, (n // 2 + place,) * axes) for place in range(multiple)]
    by_axis = list(zip(*reaches, strict=True))  # per axis, per place: (lowest, highest) offset
    radius = tuple(max(max(abs(a), abs(b)) for a, b in axis) for axis in by_axis)
    return Locality(radius, tuple(_period(axis) for axis in by_axis), False, n)


def _reach(
    program: Program, channels: int, n: int, cell: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Lowest and highest offset, per axis, of the outputs that a NaN at ``cell`` reaches."""
    axes = len(cell)
    x = torch.zeros(1, channels, *(n,) * axes)
    spot = x
    for at in cell:
        spot = spot.select(2, at)
    spot.fill_(torch.nan)  # a view: of all channels of the cell
    hit = torch.isnan(program(x)).any(1)[0]  # (n, n) or (n, n, n)
    places = hit.nonzero()  # (hits, axes)
    if len(places) == 0:
        return ((0, 0),) * axes
    lowest, highest = places.min(0).values.tolist(), places.max(0).values.tolist()
    return tuple((low - at, high - at) for low, high, at in zip(lowest, highest, cell, strict=True))


def _period(reaches: tuple[tuple[int, int], ...]) -> int:
    """Smallest divisor of len(reaches) by which the list repeats."""
    n = len(reaches)
    for period in range(1, n + 1):
        if n % period == 0 and all(reaches[i] == reaches[i % period] for i in range(n)):
            return period
    return n
