"""What an output interval of the random family is worth: steps, persistence, half-resolution error.

    python intervals.py --solver build/bin/mhd2d --seeds 6

Per interval: native steps (mean, range), and per field the root mean square, over the standard
deviation at t2, of the frame's change (persistence) and of the error of the solver at half
resolution, restarted from the frame at t1, against the restricted frame at t2.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from surrogate.demo.frames import SCORED, Frame, read_frame, restrict
from surrogate.demo.score import field_errors
from surrogate.demo.solver import Solver

RESOLUTION = 0.025  # of the times at which frames are kept
STARTS = np.arange(0.25, 1.76, 0.25)


def errors(frame: Frame, truth: Frame) -> list[float]:
    """Errors of the scored fields, in their order."""
    return list(field_errors(frame, truth).values())


def measure(solver: Solver, seeds: int, nx: int, intervals: list[float]) -> None:
    """Print one line an interval."""
    steps: dict[float, list[int]] = {i: [] for i in intervals}
    moved: dict[float, list[list[float]]] = {i: [] for i in intervals}
    half: dict[float, list[list[float]]] = {i: [] for i in intervals}
    count = 1 + round((STARTS[-1] + max(intervals) - STARTS[0]) / RESOLUTION)
    times = STARTS[0] + RESOLUTION * np.arange(count)
    random = ("--problem", "random", "--nx", nx)
    frames = ("--frames", count, "--first-frame", STARTS[0], "--interval", RESOLUTION)
    with tempfile.TemporaryDirectory() as folder:
        full, coarse = Path(folder) / "full.h5", Path(folder) / "half.h5"
        for seed in range(seeds):
            report = solver.run(*random, "--seed", seed, *frames, "--output", full)
            done = np.cumsum(report["steps_per_interval"])
            for start in STARTS:
                a = round((start - STARTS[0]) / RESOLUTION)
                before = read_frame(full, a)
                for i in intervals:
                    b = a + round(i / RESOLUTION)
                    after = read_frame(full, b)
                    steps[i].append(int(done[b] - done[a]))
                    moved[i].append(errors(before, after))
                    restart = ("--restart", full, "--restart-frame", a, "--nx", nx // 2)
                    solver.run(*restart, "--t-end", times[b], "--output", coarse)
                    half[i].append(errors(read_frame(coarse), restrict(after)))
    print(
        f"interval  steps (range)  persistence {' '.join(SCORED)} mean  half resolution, the same"
    )
    for i in intervals:
        columns = [np.mean(values[i], axis=0) for values in (moved, half)]
        texts = [" ".join(f"{x:.3f}" for x in [*c, c.mean()]) for c in columns]
        print(
            f"{i:8.3f}  {np.mean(steps[i]):.0f} ({min(steps[i])}-{max(steps[i])})  {'  '.join(texts)}"
        )


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solver", type=Path, required=True, help="the mhd2d binary")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--nx", type=int, default=128)
    parser.add_argument(
        "--intervals",
        type=float,
        nargs="+",
        default=[0.1, 0.15, 0.2, 0.25, 0.3],
        help="multiples of 0.025",
    )
    given = parser.parse_args()
    measure(Solver(given.solver.resolve(), ranks=1), given.seeds, given.nx, given.intervals)


if __name__ == "__main__":
    main()
