"""Make trajectories of 2-D Navier–Stokes flow, filtered to a coarser grid: one file each.

    python generate.py --out .data/navier_stokes_64 --trajectories 40

The defaults are those of the published data set: steadily forced turbulence at 256², filtered to 64². A random force of
8 waves a side is kept for the whole run and stands beside the vorticity as a condition; what is hidden is the scales
below the filter, and chaos carries them up within a turnover (twins.py measures how far).

The problem of Li et al. (2021): --start gaussian --force diagonal --amplitude 0.1 --drag 0 --viscosity 1e-5 --saved 64
--coarse-until 0 --first-frame 0 --dt 0.01 --interval 1 --frames 21

A trajectory that is there is complete (it gets its name at the end) and is skipped: an interrupted call is repeated.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, fields
from pathlib import Path

from case import FORCES, STARTS, Case
from vorticity import Integrals, integrals

from surrogate import Recorder

DESCRIPTION = (
    "2-D incompressible Navier-Stokes on the unit torus: vorticity omega = dv/dx - du/dy, x the last axis, under a "
    "steady force; modes that the grid does not hold are cut off."
)


def path_of(out: Path, seed: int) -> Path:
    """File of the trajectory that starts from `seed`."""
    return out / f"trajectory_{seed:06d}.h5"


def record(case: Case, seed: int, path: Path) -> list[Integrals]:
    """Write one trajectory; return the integrals of its frames on the fine grid.

    Parameters
    ----------
    case : Case
        The run.
    seed : int
        Of initial state and force.
    path : Path
        Gets its name when the file is complete.
    """
    partial, found = path.with_suffix(".partial"), []
    force = case.steady_force(case.fine_grid, seed)
    names = {f.name for f in fields(Case)} - {"start", "force", "dtype"}
    recorder = Recorder(
        partial,
        name="navier_stokes",
        description=DESCRIPTION,
        spacing=(1 / case.saved,) * 2,
        boundary=("periodic", "periodic"),
        parameters={name: float(value) for name, value in asdict(case).items() if name in names},
        trajectory=seed,
        seed=seed,
        precision="float32",
        overwrite=True,
    )
    with recorder:
        for when, vorticity in case.trajectory(seed):
            frame = {"omega": case.filtered(vorticity)}
            if force is not None:
                frame["force"] = case.filtered(force)
            recorder.write(when, frame)
            found.append(integrals(vorticity, case.fine_grid))
    partial.rename(path)
    return found


def make(case: Case, seed: int, path: Path) -> str:
    """Record a trajectory and tell about it in a line."""
    started = time.monotonic()
    found = record(case, seed, path)
    means = {
        name: sum(getattr(i, name) for i in found) / len(found)
        for name in ("energy", "enstrophy", "turnover", "large_turnover")
    }
    shown = ", ".join(f"{name} {value:.4g}" for name, value in means.items())
    return f"seed {seed}: {shown}, {time.monotonic() - started:.1f} s"


def main() -> int:
    """Make the data set that the command line asks for."""
    given = vars(parse())
    out, workers = given.pop("out"), given.pop("workers")
    first, count = given.pop("first_seed"), given.pop("trajectories")
    case = Case(**given)
    out.mkdir(parents=True, exist_ok=True)
    missing = [s for s in range(first, first + count) if not path_of(out, s).exists()]
    print(f"{count - len(missing)} of {count} trajectories are there", flush=True)
    failed, started = 0, time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(make, case, seed, path_of(out, seed)) for seed in missing]
        for done, job in enumerate(as_completed(jobs), start=1):
            error = job.exception()
            failed += error is not None
            left = (time.monotonic() - started) / done * (len(missing) - done)
            print(f"[{done}/{len(missing)}, {left:.0f} s left] {error or job.result()}", flush=True)
    return 1 if failed else 0


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; the run's options are the fields of Case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--trajectories", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    choices = {"start": STARTS, "force": FORCES, "dtype": ("float32", "float64")}
    for field in fields(Case):
        kind = type(field.default)
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(
            option, type=kind, default=field.default, choices=choices.get(field.name)
        )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
