"""Make runs of six regimes, two viscosities times three forces, from starts of one kind: one file each.

    python regimes.py --out .data/navier_stokes_regimes --runs 48

A frame at the start says nothing of the regime, that an interval later shows it: what comes is known from a caption, or
not at all. Runs of all regimes take turns, so that any first or last part of the files has all of them.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

from case import Case
from generate import make, path_of

VISCOSITIES = (1e-4, 5e-3)
FORCES: tuple[dict[str, float], ...] = (
    {"amplitude": 0.0, "force_waves": 0.0},
    {"amplitude": 100.0, "force_waves": 2.0},
    {"amplitude": 100.0, "force_waves": 10.0},
)
"""None, at large scales, at small scales; in units of the vorticity's change a time unit, which starts at 25."""


def cases(points: int, saved: int, frames: int) -> list[Case]:
    """The six."""
    common = {"points": points, "saved": saved, "interval": 0.25, "frames": frames, "dt": 5e-3}
    return [
        Case(
            **common,
            **force,
            viscosity=viscosity,
            force="ring" if force["amplitude"] else "none",
            first_frame=0.0,
            coarse_until=0.0,
        )
        for viscosity, force in product(VISCOSITIES, FORCES)
    ]


def main() -> int:
    """Make the data set that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--runs", type=int, default=48, help="of each regime")
    parser.add_argument("--points", type=int, default=64, help="a side of the solver")
    parser.add_argument("--saved", type=int, default=32, help="a side of the frames")
    parser.add_argument("--frames", type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    every = cases(given.points, given.saved, given.frames)
    for seed in range(given.runs * len(every)):
        path = path_of(given.out, seed)
        if not path.exists():
            print(make(every[seed % len(every)], seed, path), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
