"""Trials one after the other in this process, chosen by Optuna; a journal in the search's folder survives a kill."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from surrogate_training.recipe import RecipeError
from surrogate_training.tracking.ending import Pruned
from surrogate_training.tracking.presence import alive
from surrogate_training.trainer import DivergedError
from surrogate_training.tune.objective import Objective
from surrogate_training.tune.results import Result
from surrogate_training.tune.space import Parameter, Pruning, Values
from surrogate_training.watch.snapshot import read_state

if TYPE_CHECKING:
    import optuna

JOURNAL = "study.journal"
FOLDER, ERROR = "folder", "error"  # attributes of a trial


def search(
    objective: Objective, out: Path, *, trials: int, tell: Callable[[Result], None]
) -> list[Result]:
    """Train trials until `trials` have ended, those of an earlier process counted in; a killed one goes on.

    Each proposal is a function of the seed and of the trials that have ended, so a search that was killed and
    continued proposes what it would have proposed.

    Parameters
    ----------
    tell : callable
        Called with each trial that ends.

    Raises
    ------
    RecipeError
        If Optuna is not installed, or another process trains a trial of this search.
    """
    optuna = load()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = optuna.storages.journal
    study = optuna.create_study(
        study_name="tune",
        storage=journal.JournalStorage(journal.JournalFileBackend(str(out / JOURNAL))),
        direction="maximize" if objective.largest else "minimize",
        pruner=pruner(optuna, objective.space.pruning),
        load_if_exists=True,
    )
    _requeue(study, optuna, out / "trials")
    while (done := len(ended(study))) < trials:
        seed = np.random.SeedSequence([objective.space.seed, done]).generate_state(1)[0]
        study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        number = _run(study, objective, optuna)
        tell(result(study.trials[number], objective))
    return [result(trial, objective) for trial in ended(study)]


def load() -> Any:
    """Optuna, or an error that says what to install."""
    try:
        import optuna
    except ImportError as error:
        raise RecipeError(
            f"surrogate tune needs Optuna, which cannot be imported ({error}): install the extra surrogate[tune]"
        ) from error
    return optuna


def _run(study: optuna.Study, objective: Objective, optuna: Any) -> int:
    """One trial; return its number."""
    trial = study.ask()
    folder = trial.user_attrs.get(FOLDER, f"trial_{trial.number:04d}")
    trial.set_user_attr(FOLDER, folder)
    values = {key: suggest(trial, key, p) for key, p in objective.space.space.items()}
    states = optuna.trial.TrialState

    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise Pruned(f"{objective.metric} {value:.4g} at step {step}")

    try:
        study.tell(trial, objective.train(values, folder, report))
    except Pruned:
        study.tell(trial, state=states.PRUNED)
    except (DivergedError, ValueError, torch.OutOfMemoryError) as error:
        # such values do not train: the search learns that and goes on
        trial.set_user_attr(ERROR, str(error))
        study.tell(trial, state=states.FAIL)
    return trial.number


def suggest(trial: optuna.Trial, key: str, p: Parameter) -> Any:
    """A value of one parameter."""
    if p.choice is not None:
        return p.choice[p.labels.index(trial.suggest_categorical(key, p.labels))]
    if p.integer is not None:
        return trial.suggest_int(key, *p.integer, step=p.step)
    low, high = p.log or p.uniform or (0.0, 0.0)
    return trial.suggest_float(key, low, high, log=p.log is not None)


def pruner(optuna: Any, pruning: Pruning) -> optuna.pruners.BasePruner:
    """What gives trials up."""
    if pruning.kind == "none":
        return optuna.pruners.NopPruner()  # type: ignore[no-any-return]
    if pruning.kind == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(  # type: ignore[no-any-return]
            min_resource=max(1, pruning.warmup), reduction_factor=pruning.reduction
        )
    return optuna.pruners.MedianPruner(  # type: ignore[no-any-return]
        n_startup_trials=pruning.startup, n_warmup_steps=pruning.warmup
    )


def ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that came to an end of their own; one without a reason was killed."""
    return [
        t
        for t in study.trials
        if t.state.is_finished() and (t.state.name != "FAIL" or ERROR in t.user_attrs)
    ]


def _requeue(study: optuna.Study, optuna: Any, runs: Path) -> None:
    """A trial that a killed process left behind is run again first, in its folder, so from its last checkpoint."""
    for trial in study.trials:
        if trial.state == optuna.trial.TrialState.RUNNING:
            facts = read_state(runs / trial.user_attrs.get(FOLDER, "")) or {}
            if facts.get("state") == "running" and alive(facts) and facts["pid"] != os.getpid():
                raise RecipeError(
                    f"{runs.parent}: another search is training here (process {facts['pid']}): wait for it, or stop it"
                )
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            if FOLDER in trial.user_attrs and trial.params:
                folder = {FOLDER: trial.user_attrs[FOLDER]}
                study.enqueue_trial(trial.params, user_attrs=folder)


def result(trial: optuna.trial.FrozenTrial, objective: Objective) -> Result:
    """A trial as every back end gives it."""
    space = objective.space.space
    values: Values = {}
    for key, value in trial.params.items():
        p = space[key]
        values[key] = p.choice[p.labels.index(value)] if p.choice is not None else value
    states: dict[str, Any] = {"COMPLETE": "complete", "PRUNED": "pruned"}
    return Result(
        number=trial.number,
        state=states.get(trial.state.name, "failed"),
        value=trial.value,
        values=values,
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
        folder=trial.user_attrs.get(FOLDER, ""),
        error=trial.user_attrs.get(ERROR, ""),
    )
