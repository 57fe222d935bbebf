"""Make a training data set: many short runs of mhd2d's random family, one file a trajectory.

    python generate.py --solver build/bin/mhd2d --out .data/mhd2d_128 --trajectories 342

A trajectory that is there is complete (the solver renames its file at the end) and is skipped, so
that an interrupted call is simply repeated.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

# Open MPI refuses to start as root without these; other MPIs do not read them.
MPI_ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


@dataclass(frozen=True)
class Plan:
    """What every trajectory has in common.

    Attributes
    ----------
    solver : Path
        The mhd2d binary.
    out : Path
        Folder of the data set.
    frames : int
        Frames a trajectory.
    first_frame, interval : float
        Time of the first frame and between frames, in code units (l0 / v0).
    nx : int
        Cells a side.
    precision : str
        How frames are stored: "single" or "double".
    """

    solver: Path
    out: Path
    frames: int
    first_frame: float
    interval: float
    nx: int
    precision: str

    def path(self, seed: int) -> Path:
        """File of the trajectory that starts from `seed`."""
        return self.out / f"trajectory_{seed:06d}.h5"

    def command(self, seed: int) -> list[str]:
        """Command line that makes this trajectory, at low priority."""
        low_priority = ["nice", "-n", "10"] if shutil.which("nice") else []
        options = {
            "problem": "random",
            "seed": seed,
            "nx": self.nx,
            "frames": self.frames,
            "first-frame": self.first_frame,
            "interval": self.interval,
            "precision": self.precision,
            "output": self.path(seed),
        }
        pairs = (text for name, value in options.items() for text in (f"--{name}", str(value)))
        return [*low_priority, str(self.solver), *pairs, "--json"]


def make_trajectory(plan: Plan, seed: int) -> str:
    """Run the solver once.

    Parameters
    ----------
    plan : Plan
        What all trajectories share.
    seed : int
        Seed of this one.

    Returns
    -------
    str
        One line about it.

    Raises
    ------
    RuntimeError
        If the solver fails; its own words are in the message.
    """
    done = subprocess.run(
        plan.command(seed),
        capture_output=True,
        text=True,
        env=os.environ | MPI_ENVIRONMENT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"seed {seed}: {done.stderr.strip() or f'exit status {done.returncode}'}"
        )
    report = json.loads(done.stdout)
    line = f"seed {seed}: {report['steps']} steps in {report['seconds']:.2f} s"
    if report["floor_count"]:
        line += f", {report['floor_count']} cells lifted to a floor"
    return line


def make_dataset(plan: Plan, seeds: range, workers: int) -> int:
    """Make all trajectories that are missing and tell about each.

    Parameters
    ----------
    plan : Plan
        What all trajectories share.
    seeds : range
        One trajectory for each.
    workers : int
        Solver processes at a time.

    Returns
    -------
    int
        Number of trajectories that failed.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not plan.path(seed).exists()]
    there = len(seeds) - len(missing)
    print(f"{there} of {len(seeds)} trajectories are there, {len(missing)} to make", flush=True)
    failed, started = 0, time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(make_trajectory, plan, seed) for seed in missing]
        for done, job in enumerate(as_completed(jobs), start=1):
            error = job.exception()
            failed += error is not None
            left = (time.monotonic() - started) / done * (len(missing) - done)
            print(f"[{done}/{len(missing)}, {left:.0f} s left] {error or job.result()}", flush=True)
    return failed


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; the defaults are those of the published data set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--solver", type=Path, required=True, help="the mhd2d binary")
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--trajectories", type=int, default=300)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--first-frame", type=float, default=0.25)
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--nx", type=int, default=128)
    parser.add_argument("--precision", choices=("single", "double"), default="single")
    parser.add_argument("--workers", type=int, default=2, help="solver processes at a time")
    return parser.parse_args(arguments)


def main() -> int:
    """Make the data set that the command line asks for."""
    given = parse_arguments()
    if not given.solver.is_file():
        print(
            f"--solver: there is no file {given.solver}; build it with `make native`",
            file=sys.stderr,
        )
        return 2
    plan = Plan(
        solver=given.solver.resolve(),
        out=given.out,
        frames=given.frames,
        first_frame=given.first_frame,
        interval=given.interval,
        nx=given.nx,
        precision=given.precision,
    )
    seeds = range(given.first_seed, given.first_seed + given.trajectories)
    failed = make_dataset(plan, seeds, given.workers)
    if failed:
        print(
            f"{failed} of {len(seeds)} trajectories failed; the same command tries them again",
            file=sys.stderr,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
