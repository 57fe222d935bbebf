"""Whether it would pay to predict the interior of a block while its halo is on the way.

A tile is the block grown by the halo. To overlap, the program would run on the interior first, which needs no
neighbour, then on rims: strips of outputs one halo wide, each of which reads three halos' width. In cells, for a block
of by x bx with halos hy, hx (0 along an axis that the rank holds whole):

    tile      (by + 2 hy) (bx + 2 hx)
    interior  by bx                       (valid beyond one halo from its edge)
    rims      2 * 3 hy (bx + 2 hx)  +  2 * 3 hx by

It pays if the exchange, all of which could be hidden at best, takes longer than the program on the cells that splitting
adds. Program seconds are taken as proportional to cells, which favours the split: small programs run at a lower rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def split_cells(block: Sequence[int], halo: Sequence[int]) -> int:
    """Cells that interior and rims compute; those of the block where there is no halo."""
    by, bx = block
    hy, hx = halo
    return by * bx + 6 * hy * (bx + 2 * hx) + 6 * hx * by


def overlap(
    block: Sequence[int], halo: Sequence[int], exchange_seconds: float, program_seconds: float
) -> dict[str, Any]:
    """Compare what overlapping can hide with what it costs, for one measured jump.

    Parameters
    ----------
    block, halo : (y, x)
        Cells of the block, and of the halo on each side of it.
    exchange_seconds, program_seconds : float
        Of one jump.
    """
    by, bx = block
    tile = (by + 2 * halo[0]) * (bx + 2 * halo[1])
    extra = split_cells(block, halo) / tile - 1.0
    return {
        "block": list(block),
        "halo": list(halo),
        "exchange_seconds": exchange_seconds,
        "program_seconds": program_seconds,
        "extra_cells": extra,
        "extra_program_seconds": extra * program_seconds,
        "pays": exchange_seconds > extra * program_seconds,
    }


def answer(rows: Sequence[dict[str, Any]]) -> str:
    """One sentence from the measured rows."""
    paying = [row for row in rows if row["pays"]]
    exchange = max(row["exchange_seconds"] / row["program_seconds"] for row in rows)
    extra = min(row["extra_cells"] for row in rows)
    facts = (
        f"the exchange takes at most {100 * exchange:.2g} % of the program's time in the {len(rows)} cases measured, "
        f"and splitting into interior and rims adds at least {100 * extra:.2g} % of cells"
    )
    if not paying:
        return f"Overlapping exchange and interior does not pay: {facts}."
    return f"Overlapping exchange and interior would pay in {len(paying)} cases: {facts}."
