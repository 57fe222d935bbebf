"""Beginning from what another run has learnt: its averaged generator, checked to be of the same data and net."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from surrogate_training.config import Generative, Recipe, Section
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.fields import FieldModel

if TYPE_CHECKING:
    from surrogate_training.runfolder import RunFolder

CLOSE = 0.01
"""Largest difference of two runs' normalisation, relative: a net reads and answers in its units."""


class StartError(ValueError):
    """``method.start`` names a run that this one cannot begin from; the text says why, and what to do."""


def load_start(
    recipe: Recipe, statistics: Statistics, root: Path, *, process: Generative | None = None
) -> FieldModel:
    """The averaged generator of the run that ``method.start`` names, in eval mode, on the CPU.

    Parameters
    ----------
    recipe, statistics
        Of the run that begins.
    root : Path
        Folder that ``method.start`` is relative to. It may be a run folder, or that of an experiment, whose newest run
        is taken.
    process : Generative, optional
        What that run's method must be, but for what all generative methods have.

    Raises
    ------
    StartError
        If there is no such run, or it was trained on other fields, in other units or with another net.
    """
    assert isinstance(recipe.method, Generative)
    where = f"method.start: {recipe.method.start or '(empty)'}"
    if not recipe.method.start:
        raise StartError(
            f"{where}: method {recipe.method.kind} begins from another run; name its folder, .runs/NAME say"
        )
    run, model = trained_run(where, root / recipe.method.start)
    _check_recipe(where, run.recipe(), recipe)
    check_statistics(where, run.statistics(), statistics)
    if process is not None:
        _check_process(where, run.recipe().method, process)
    return model


def trained_run(where: str, folder: Path) -> tuple[RunFolder, FieldModel]:
    """A run, or the newest of an experiment, and its averaged generator in eval mode, on the CPU.

    Parameters
    ----------
    where : str
        What names it, for the error.
    folder : Path
        Of the run, or of the experiment.

    Raises
    ------
    StartError
        If there is none, or it has not been trained.
    """
    # run folders know the methods, to make their generators, so methods cannot know run folders from the start
    from surrogate_training.runfolder import open_run

    try:
        run = open_run(folder)
        model, _ = run.model()
    except FileNotFoundError as error:
        raise StartError(
            f"{where}: no trained run in {folder} ({error}); train it first"
        ) from error
    return run, model


@torch.no_grad()
def take_over(target: nn.Module, source: nn.Module, *, fresh: float = 1.0) -> None:
    """Copy every weight of `source` into the one of that name in `target`; the others of `target` stay as they are.

    Where a weight of `target` reads more channels (axis 1), those of `source` are the first; weights of the ones beyond
    are multiplied by `fresh`.

    Raises
    ------
    StartError
        If `target` has no place for one of them.
    """
    places = target.state_dict()
    for name, value in source.state_dict().items():
        place = places.get(name)
        if place is None or not _fits(value, place):
            given = "none" if place is None else str(tuple(place.shape))
            raise StartError(
                f"method.start: weight {name} has shape {tuple(value.shape)} there and {given} here: begin from a run "
                "with the same net"
            )
        if value.shape == place.shape:
            place.copy_(value)
        else:
            place[:, : value.shape[1]].copy_(value)
            place[:, value.shape[1] :].mul_(fresh)


def _fits(value: torch.Tensor, place: torch.Tensor) -> bool:
    if value.shape == place.shape:
        return True
    if value.ndim != place.ndim or value.ndim < 2 or value.shape[1] > place.shape[1]:
        return False
    return value.shape[0] == place.shape[0] and value.shape[2:] == place.shape[2:]


def _check_recipe(where: str, old: Recipe, new: Recipe) -> None:
    """Same fields, parameters and net; what training does with them may differ."""
    for name in ("fields", "parameters"):
        given, expected = getattr(old.data, name), getattr(new.data, name)
        if given != expected:
            raise StartError(
                f"{where}: that run has other data.{name} ({_names(given)}) than this one ({_names(expected)}): begin "
                "from a run on the same ones"
            )
    theirs, ours = (r.model.model_dump(exclude={"checkpointing"}) for r in (old, new))
    for key in sorted(theirs.keys() | ours.keys()):
        if theirs.get(key) != ours.get(key):
            raise StartError(
                f"{where}: that run has model.{key} {theirs.get(key)!r}, this one {ours.get(key)!r}: begin from a run "
                "with the same net"
            )


def check_statistics(where: str, old: Statistics, new: Statistics) -> None:
    """Refuse a run whose fields were normalised otherwise; `where` names it."""
    for name, field in new.fields.items():
        before = old.fields[name]
        shift = abs(before.mean - field.mean) / field.std
        stretch = [
            abs(math.log(getattr(before, key) / getattr(field, key)))
            for key in ("std", "increment_std")
            if getattr(field, key) > 0
        ]
        if max(shift, *stretch) > CLOSE:
            raise StartError(
                f"{where}: field {name!r} has mean {before.mean:g}, std {before.std:g} and increment_std "
                f"{before.increment_std:g} there, {field.mean:g}, {field.std:g} and {field.increment_std:g} in this "
                "training set: a net works in these units; begin from a run on the same data"
            )


def _check_process(where: str, old: Section, new: Generative) -> None:
    shared = set(Generative.model_fields)
    given, expected = old.model_dump(exclude=shared), new.model_dump(exclude=shared)
    if given != expected:
        raise StartError(
            f"{where}: that run has method {given}, this one method.process {expected}: write that run's there"
        )


def _names(entries: tuple[object, ...]) -> str:
    return ", ".join(str(getattr(entry, "name", entry)) for entry in entries) or "none"
