"""What an output interval of the random family is worth: steps, persistence, half-resolution error.

    python intervals.py --solver build/bin/mhd2d --seeds 6

Per interval: native steps (mean, range), and per field the root mean square, over the standard
deviation at t2, of the frame's change (persistence) and of the error of the solver at half
resolution, restarted from the frame at t1, against the restricted frame at t2.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

Fields = dict[str, NDArray[np.float64]]
NAMES = ("rho", "vx", "vy", "p", "az")
MPI_ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
RESOLUTION = 0.025  # of the times at which frames are kept
STARTS = np.arange(0.25, 1.76, 0.25)


def solve(solver: Path, **options: object) -> dict[str, list[int]]:
    """Run the solver and return its report."""
    command = [str(solver), "--json"]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    environment = os.environ | MPI_ENVIRONMENT
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    report: dict[str, list[int]] = json.loads(done.stdout)
    return report


def read(path: Path) -> list[Fields]:
    """All frames of a file, each field of shape (ny, nx)."""
    with h5py.File(path) as file:
        return [{name: file[name][k] for name in NAMES} for k in range(len(file["time"]))]


def pressure_to_energy(u: Fields, sign: float) -> NDArray[np.float64]:
    """Energy density from u["p"] (sign 1), or pressure from an energy in u["p"] (sign -1)."""
    n, gamma = u["az"].shape[0], 5.0 / 3.0
    bx = (np.roll(u["az"], -1, 0) - u["az"]) * n
    by = (u["az"] - np.roll(u["az"], -1, 1)) * n
    bx, by = (bx + np.roll(bx, -1, 1)) / 2, (by + np.roll(by, -1, 0)) / 2
    rest = (u["rho"] * (u["vx"] ** 2 + u["vy"] ** 2) + bx**2 + by**2) / 2
    energy = u["p"] / (gamma - 1) + rest if sign > 0 else (gamma - 1) * (u["p"] - rest)
    return np.asarray(energy)


def restrict(u: Fields) -> Fields:
    """Frame on half the cells: means of the conserved densities, az injected."""

    def mean(field: NDArray[np.float64]) -> NDArray[np.float64]:
        ny, nx = field.shape
        return np.asarray(field.reshape(ny // 2, 2, nx // 2, 2).mean((1, 3)))

    half = {"rho": mean(u["rho"]), "az": u["az"][::2, ::2], "p": mean(pressure_to_energy(u, 1))}
    for name in ("vx", "vy"):
        half[name] = mean(u["rho"] * u[name]) / half["rho"]
    half["p"] = pressure_to_energy(half, -1)
    return half


def distance(a: Fields, b: Fields) -> list[float]:
    """Root mean square of a - b over the standard deviation of b, per field."""
    return [float(np.sqrt(((a[k] - b[k]) ** 2).mean()) / b[k].std()) for k in NAMES]


def measure(solver: Path, seeds: int, nx: int, intervals: list[float]) -> None:
    """Print one line an interval."""
    steps: dict[float, list[int]] = {i: [] for i in intervals}
    moved: dict[float, list[list[float]]] = {i: [] for i in intervals}
    half: dict[float, list[list[float]]] = {i: [] for i in intervals}
    count = 1 + round((STARTS[-1] + max(intervals) - STARTS[0]) / RESOLUTION)
    times = STARTS[0] + RESOLUTION * np.arange(count)
    with tempfile.TemporaryDirectory() as folder:
        full, coarse = Path(folder) / "full.h5", Path(folder) / "half.h5"
        for seed in range(seeds):
            run = {"frames": count, "first_frame": STARTS[0], "interval": RESOLUTION}
            report = solve(solver, seed=seed, nx=nx, output=full, **run)
            frames, done = read(full), np.cumsum(report["steps_per_interval"])
            for start in STARTS:
                a = round((start - STARTS[0]) / RESOLUTION)
                for i in intervals:
                    b = a + round(i / RESOLUTION)
                    steps[i].append(int(done[b] - done[a]))
                    moved[i].append(distance(frames[a], frames[b]))
                    restart = {"restart": full, "restart_frame": a, "nx": nx // 2}
                    solve(solver, t_end=times[b], output=coarse, **restart)
                    half[i].append(distance(read(coarse)[0], restrict(frames[b])))
    print(f"interval  steps (range)  persistence {' '.join(NAMES)} mean  half resolution, the same")
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
    measure(given.solver.resolve(), given.seeds, given.nx, given.intervals)


if __name__ == "__main__":
    main()
