"""How uncertain the filtered frame at t2 is, given the filtered frame at t1: runs that differ below the filter only.

    python twins.py --seeds 6 --until 1.0

Twins have the same frame at t1 and the same force; the modes that the filter cuts off keep their amplitudes and get
random phases. Printed per time since then: the relative L2 difference of the twins' filtered vorticity, and the same
between a frame and the one at t1 (persistence); in the head both eddy turnover times, 2π / ω_rms, and integral scale
over rms velocity. The best prediction's error is the difference over √2, if twins are equally likely.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from case import Case
from modes import Grid, Modes, Real
from vorticity import integrals


def twin(vorticity: Modes, fine: Grid, coarse: Grid, seed: int) -> Modes:
    """The same field with other phases in all modes that the coarse grid does not hold."""
    ky, kx = fine.waves
    hidden = (np.abs(ky) > coarse.kept) | (kx > coarse.kept)
    turn = np.exp(2j * np.pi * np.random.default_rng(seed).random(vorticity.shape))
    turn[:, 0] = turn[
        0, 0
    ]  # modes with kx = 0 come in conjugate pairs: ky > 0 below, ky < 0 after it
    half = fine.kept
    turn[half + 1 :, 0] = np.conj(turn[half:0:-1, 0])
    return np.where(hidden, vorticity * turn, vorticity).astype(vorticity.dtype)


def relative_l2(a: Real, b: Real) -> float:
    """|a − b| / |b|."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def differences(case: Case, seed: int, until: float) -> Iterator[tuple[float, float, float, float]]:
    """(both turnovers of the start, twins' difference, persistence) after every interval of the case."""
    flow, first = case.flow(seed), case.spun_up(seed)
    found = integrals(first, case.fine_grid)
    pair = [twin(first, case.fine_grid, case.saved_grid, s) for s in (2 * seed, 2 * seed + 1)]
    start = case.filtered(first)
    for _ in range(round(until / case.interval)):
        pair = [flow.run(one, case.interval, longest=case.dt) for one in pair]
        a, b = (case.filtered(one) for one in pair)
        yield found.turnover, found.large_turnover, relative_l2(a, b), relative_l2(start, b)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--until", type=float, default=1.0)
    given = parser.parse_args()
    case = Case()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    table = np.array([list(differences(case, s, given.until)) for s in seeds])  # (seeds, times, 4)
    small, large = table[:, 0, :2].mean(0)
    print(f"turnovers {small:.3f}, {large:.3f}; twins and persistence: mean (least to greatest)")
    for n, row in enumerate(np.moveaxis(table, 1, 0), start=1):
        shown = (f"{x.mean():.3f} ({x.min():.3f} to {x.max():.3f})" for x in row.T[2:])
        print(f"{n * case.interval:6.3f}", *shown, sep="  ")


if __name__ == "__main__":
    main()
