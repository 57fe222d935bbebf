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
    """Per axis (y, x): cells that an output may depend on to each side, and the translations that commute.

    ``grid`` is the number of cells a side that this was measured on.
    """

    receptive_field: tuple[int, int]
    stride: tuple[int, int]
    reduces_over_space: bool
    grid: int


@torch.no_grad()
def measure_locality(
    program: Program, *, channels: int, multiple: int, limit: int = 2048
) -> Locality:
    """Measure on grids that double until they are at least four times the receptive field.

    Parameters
    ----------
    program : callable
        (1, C, ny, nx) → (1, C', ny, nx).
    channels : int
        C.
    multiple : int
        Grids must be multiples of this; the stride is one of its divisors.
    limit : int
        Cells a side at which a NaN that still reaches everything means a reduction over space.
    """
    n = 8 * multiple
    while True:
        reach = _reach(program, channels, n, (n // 2, n // 2))
        widest = max(max(abs(a), abs(b)) for a, b in reach)
        if 4 * (widest + multiple) <= n:
            break
        if 2 * n > limit:
            return Locality((0, 0), (multiple, multiple), True, n)
        n *= 2
    # a cell's reach depends on its place within a block of `multiple` cells
    reaches = [
        _reach(program, channels, n, (n // 2 + place, n // 2 + place)) for place in range(multiple)
    ]
    axes = list(zip(*reaches, strict=True))  # per axis, per place: (lowest, highest) offset
    radius = [max(max(abs(a), abs(b)) for a, b in axis) for axis in axes]
    stride = [_period(axis) for axis in axes]
    return Locality((radius[0], radius[1]), (stride[0], stride[1]), False, n)


def _reach(
    program: Program, channels: int, n: int, cell: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Lowest and highest offset, per axis, of the outputs that a NaN at ``cell`` reaches."""
    x = torch.zeros(1, channels, n, n)
    x[..., cell[0], cell[1]] = torch.nan
    hit = torch.isnan(program(x)).any(1)[0]  # (n, n)
    rows, columns = hit.any(1).nonzero().flatten(), hit.any(0).nonzero().flatten()
    if len(rows) == 0:
        return (0, 0), (0, 0)
    return (
        (int(rows.min()) - cell[0], int(rows.max()) - cell[0]),
        (int(columns.min()) - cell[1], int(columns.max()) - cell[1]),
    )


def _period(reaches: tuple[tuple[int, int], ...]) -> int:
    """Smallest divisor of len(reaches) by which the list repeats."""
    n = len(reaches)
    for period in range(1, n + 1):
        if n % period == 0 and all(reaches[i] == reaches[i % period] for i in range(n)):
            return period
    return n
