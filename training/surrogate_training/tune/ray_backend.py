"""Trials on the machines of a Ray cluster; run folders must lie where every machine sees them."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surrogate_training.recipe import RecipeError
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.results import Result, State
from surrogate_training.tune.space import Parameter, Values

NAME = "ray"


def search(
    objective: Objective, out: Path, *, trials: int, tell: Callable[[Result], None]
) -> list[Result]:
    """Train `trials` trials wherever Ray finds room; an experiment in `out` is continued.

    Ray draws all values at the start, so a continued experiment keeps its number of trials; and it ends trials itself:
    a pruned one leaves a run folder without an end.

    Raises
    ------
    RecipeError
        If Ray is not installed.
    """
    tune = load()
    # Ray talks, and standard output is for results. Its workers look for packages in the folder that we are in first,
    # where a source tree without its compiled module may lie.
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir(out):
        grid = _tuner(tune, objective, out, trials).fit()
    # a continued experiment comes in another order; the names of trials end with their numbers
    found = sorted(grid, key=lambda one: str((one.metrics or {}).get("folder", "")))
    results = [result(n, one, objective) for n, one in enumerate(found)]
    for one in results:
        tell(one)
    return results


def _tuner(tune: Any, objective: Objective, out: Path, trials: int) -> Any:
    """A new experiment, or the one in `out`."""
    work = tune.with_resources(trainable(objective), resources(objective))
    folder = str((out / NAME).resolve())
    if tune.Tuner.can_restore(folder):
        return tune.Tuner.restore(folder, trainable=work, resume_unfinished=True)
    return tune.Tuner(
        work,
        param_space={key: domain(tune, p) for key, p in objective.space.space.items()},
        tune_config=tune.TuneConfig(
            metric="value",
            mode="max" if objective.largest else "min",
            num_samples=trials,
            scheduler=scheduler(tune, objective),
        ),
        run_config=tune.RunConfig(name=NAME, storage_path=str(out.resolve()), verbose=0),
    )


def load() -> Any:
    """``ray.tune``, or an error that says what to install."""
    try:
        from ray import tune
    except ImportError as error:
        raise RecipeError(
            f"surrogate tune --backend ray needs Ray, which cannot be imported ({error}): install the extra "
            "surrogate[ray], or use --backend optuna"
        ) from error
    return tune


def trainable(objective: Objective) -> Callable[[dict[str, Any]], None]:
    """The function that Ray sends to its workers."""

    def work(config: dict[str, Any]) -> None:
        tune = load()
        folder, began = f"trial_{tune.get_context().get_trial_id()}", time.monotonic()

        def report(step: int, value: float, *, complete: bool = False) -> None:
            seconds = time.monotonic() - began
            facts = {"folder": folder, "complete": complete, "seconds": seconds}
            tune.report({"step": step, "value": value, **facts})

        values = values_of(config, objective)
        value = objective.train(values, folder, report)
        report(objective.build(values).optimiser.steps, value, complete=True)

    return work


def resources(objective: Objective) -> dict[str, float]:
    """What a trial occupies."""
    run = objective.base.run
    return {"cpu": run.threads + run.workers, "gpu": int(run.device.startswith("cuda"))}


def domain(tune: Any, p: Parameter) -> Any:
    """A parameter in Ray's words."""
    if p.choice is not None:
        return tune.choice(p.labels)
    if p.integer is not None:
        low, high = p.integer
        return tune.choice(list(range(low, high + 1, p.step)))
    return tune.loguniform(*p.log) if p.log is not None else tune.uniform(*(p.uniform or ()))


def values_of(config: dict[str, Any], objective: Objective) -> Values:
    """What Ray drew, with choices as they stand in the search space."""
    return {
        key: p.choice[p.labels.index(config[key])] if p.choice is not None else config[key]
        for key, p in objective.space.space.items()
    }


def scheduler(tune: Any, objective: Objective) -> Any:
    """What gives trials up; None: nothing."""
    pruning, steps = objective.space.pruning, objective.base.optimiser.steps
    grace = max(1, pruning.warmup)
    if pruning.kind == "asha":
        # it ends a trial that reports max_t, and the last validation must not keep the result from us
        return tune.schedulers.ASHAScheduler(
            time_attr="step",
            max_t=steps + 1,
            grace_period=grace,
            reduction_factor=pruning.reduction,
        )
    if pruning.kind == "median":
        return tune.schedulers.MedianStoppingRule(
            time_attr="step", grace_period=grace, min_samples_required=pruning.startup
        )
    return None


def result(number: int, found: Any, objective: Objective) -> Result:
    """A trial as every back end gives it."""
    metrics = found.metrics or {}
    state: State = "complete" if metrics.get("complete") else "pruned"
    return Result(
        number=number,
        state="failed" if found.error else state,
        value=metrics.get("value"),
        values=values_of(found.config, objective) if found.config else {},  # a worker never began
        seconds=float(metrics.get("seconds", 0.0)),
        folder=str(metrics.get("folder", "")),
        error=_reason(str(found.error or "")),
    )


def _reason(text: str) -> str:
    """The line of a traceback that says what went wrong: the last that names an error."""
    lines = text.strip().splitlines()
    return next((line for line in reversed(lines) if "Error: " in line), lines[-1] if lines else "")
