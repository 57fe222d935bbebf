"""The experiment of the demo: one jump from t1 to t2 by four ways, on several unseen initial states.

native      the solver at full resolution, all ranks;
surrogate   the same program with the surrogate in its loop, in mode gather (the whole call is timed);
coarse      the solver at half resolution, restarted from the same frame at t1;
persistence the frame at t1 itself.

Truth is the native run. The coarse solver is scored on its own grid (truth restricted) and on the fine grid (its frame
prolonged at fifth order); the smaller error counts, and the surrogate is scored on both grids as well.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from surrogate.demo.frames import Frame, prolong, read_frame, restrict
from surrogate.demo.score import field_errors, mean_error, worst_over
from surrogate.demo.solver import Solver

FIRST_SEED = 10_000
"""Initial states from here on are in no training set."""
CELLS = 128
JUMPS = 7
"""Jumps of a training trajectory: t1 is 1 to 7 time steps after the initial state."""


@dataclass(frozen=True)
class Case:
    """What one initial state gave. Times are wall seconds a jump, medians over the repeats."""

    seed: int
    t1: float
    steps: int
    solver_seconds: float
    surrogate_seconds: float
    coarse_seconds: float
    cell_steps_per_second: float
    """Native, per core."""
    jump: dict[str, Any]
    """How mhd2d's report tells the jumps went: mode, threads, bytes, seconds of each part of a jump."""
    accepted: bool
    max_div_b: float
    """max |div B| dx / max |B| after the surrogate's jump."""
    errors: dict[str, float]
    persistence: dict[str, float]
    coarse_on_fine: dict[str, float]
    coarse_on_coarse: dict[str, float]
    errors_on_coarse: dict[str, float]
    frames: tuple[Frame, Frame, Frame] = field(repr=False)
    """t1, true t2, predicted t2."""

    def as_json(self) -> dict[str, Any]:
        """All but the frames."""
        return {key: value for key, value in asdict(self).items() if key != "frames"}


def jump_options(bundle: Path, threads: int) -> tuple[object, ...]:
    """How mhd2d is told to jump: the domain is gathered on one rank, which has the cores of all.

    Blocks of 128² on two ranks are narrower than the shipped net's halo of 88 cells, so tiles would run the whole domain
    on every rank.
    """
    gather = ("--surrogate-mode", "gather", "--surrogate-threads", threads)
    return ("--surrogate", bundle, *gather)


def run_case(
    solver: Solver, bundle: Path, step: float, seed: int, jump: int, repeats: int, folder: Path
) -> Case:
    """Run one initial state; intermediate files go to `folder`."""
    t1 = jump * step
    truth, coarse, jumped = folder / "truth.h5", folder / "coarse.h5", folder / "surrogate.h5"
    problem = ("--problem", "random", "--seed", seed, "--nx", CELLS)
    solver.run(*problem, "--first-frame", t1, "--interval", step, "--frames", 2, "--output", truth)
    restart = ("--restart", truth, "--restart-frame", 0, "--t-end", t1 + step, "--repeat", repeats)
    native = solver.run(*restart)
    ours = solver.run(*restart, *jump_options(bundle, solver.ranks), "--output", jumped)
    half = solver.run(*restart, "--nx", CELLS // 2, "--output", coarse)
    start, true, predicted, rival = (
        read_frame(*f) for f in ((truth, 0), (truth, 1), (jumped, -1), (coarse, -1))
    )
    true_coarse = restrict(true)
    return Case(
        seed=seed,
        t1=t1,
        steps=native["steps_per_interval"][0],
        solver_seconds=statistics.median(native["seconds_per_interval"]),
        surrogate_seconds=statistics.median(ours["seconds_per_interval"]),
        coarse_seconds=statistics.median(half["seconds_per_interval"]),
        cell_steps_per_second=native["cell_steps_per_second"],
        jump=ours["surrogate"],
        accepted=ours["steps"] == 0,
        max_div_b=ours["max_div_b"],
        errors=field_errors(predicted, true),
        persistence=field_errors(start, true),
        coarse_on_fine=field_errors(prolong(rival), true),
        coarse_on_coarse=field_errors(rival, true_coarse),
        errors_on_coarse=field_errors(restrict(predicted), true_coarse),
        frames=(start, true, predicted),
    )


def run_cases(
    solver: Solver,
    bundle: Path,
    step: float,
    *,
    cases: int,
    repeats: int,
    folder: Path,
    done: Callable[[Case], None],
) -> list[Case]:
    """Run `cases` initial states one after the other, with t1 at 1 to 7 time steps in turn; `done` sees each."""
    found = []
    for k in range(cases):
        found.append(run_case(solver, bundle, step, FIRST_SEED + k, 1 + k % JUMPS, repeats, folder))
        done(found[-1])
    return found


def _average(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.fmean(row[name] for row in rows) for name in rows[0]}


def _spread(values: list[float]) -> list[float]:
    return [min(values), max(values)]


def summarise(cases: list[Case]) -> dict[str, Any]:
    """The figures of all cases: medians of times, means of errors over states, then over fields."""
    errors = _average([case.errors for case in cases])
    persistence = _average([case.persistence for case in cases])
    on_fine, on_coarse = (
        _average([c.coarse_on_fine for c in cases]),
        _average([c.coarse_on_coarse for c in cases]),
    )
    ratios = [case.solver_seconds / case.surrogate_seconds for case in cases]
    worst_field, worst = worst_over(errors, persistence)
    return {
        "surrogate_mode": cases[0].jump["mode"],
        "solver_seconds": statistics.median(case.solver_seconds for case in cases),
        "surrogate_seconds": statistics.median(case.surrogate_seconds for case in cases),
        "speedup": statistics.median(ratios),
        "speedup_range": _spread(ratios),
        "error": mean_error(errors),
        "error_range": _spread([mean_error(case.errors) for case in cases]),
        "persistence_error": mean_error(persistence),
        "worst_field": worst_field,
        "worst_field_over_persistence": worst,
        "coarse_solver_seconds": statistics.median(case.coarse_seconds for case in cases),
        "coarse_solver_error": min(mean_error(on_fine), mean_error(on_coarse)),
        "coarse_solver_error_on_fine_grid": mean_error(on_fine),
        "coarse_solver_error_on_coarse_grid": mean_error(on_coarse),
        "error_on_coarse_grid": mean_error(_average([case.errors_on_coarse for case in cases])),
        "cell_steps_per_second": statistics.median(case.cell_steps_per_second for case in cases),
        "steps_per_jump": statistics.median(case.steps for case in cases),
        "max_div_b": max(case.max_div_b for case in cases),
        "accepted": sum(case.accepted for case in cases),
        "states": len(cases),
        "errors": errors,
        "persistence_errors": persistence,
        "coarse_solver_errors": on_fine,
    }
