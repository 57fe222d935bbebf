"""Evaluating a bundle or a run: open it and its data, score, measure cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from surrogate.bundle.folder import check_bundle
from surrogate.whole import write_json
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.runs import DT, ONE_JUMP
from surrogate_training.evaluation.coarse import jump_seconds, open_coarse
from surrogate_training.evaluation.collect import Done, Rival, collect
from surrogate_training.evaluation.ensembles import MEMBERS, score_members
from surrogate_training.evaluation.examples import predict_example
from surrogate_training.evaluation.floor import Floor
from surrogate_training.evaluation.predictors import BundlePredictor, Predictor, RunPredictor
from surrogate_training.evaluation.result import COARSE, MODEL, Result
from surrogate_training.evaluation.rollouts import roll_out
from surrogate_training.evaluation.sources import open_data, open_part
from surrogate_training.evaluation.summary import Summary, summarise
from surrogate_training.evaluation.system import System, system_of_bundle, system_of_run
from surrogate_training.runfolder import RunFolder


@dataclass(frozen=True)
class Options:
    """How much is evaluated.

    Attributes
    ----------
    pairs : int
        So many, spread over the data; 0: all.
    members : int, optional
        Of a stochastic model; None: 8 of a stochastic one; 1: no ensemble.
    rollout : int, optional
        Jumps of the rollouts; None: as many as the data has; 0 or 1: none.
    examples : bool
        Keep the frames of the best, the median and the worst pair.
    seed : int
        Of a stochastic model.
    steps : int, optional
        Of a generative model; None: its preset.
    rivals : mapping of str to callable
        More methods to score beside the model: a frame (P, ny, nx) of a case, or None where they have none. The name
        ``coarse`` stands for the solver at coarser settings.
    """

    pairs: int = 0
    members: int | None = None
    rollout: int | None = None
    examples: bool = True
    seed: int = 0
    steps: int | None = None
    rivals: Mapping[str, Rival] = field(default_factory=dict)


QUICK = Options(members=1, rollout=0, examples=False)
"""The scores of single jumps alone."""


def evaluate_bundle(
    bundle: Path,
    data: Path | None = None,
    *,
    root: Path,
    part: str = "test",
    options: Options = QUICK,
    done: Done = lambda count, total: None,
) -> Result:
    """Evaluate a bundle through the run time.

    Parameters
    ----------
    bundle : Path
    data : Path, optional
        A ``pairs.csv``, a folder or a file of frames; default: the part of the recipe's data.
    root : Path
        Folder that the recipe's paths are relative to.
    part : str
        Of the recipe's data.
    options : Options
    done : callable, optional
        Told after each pair how many are done, of how many.

    Raises
    ------
    ValueError
        If the bundle is damaged, does not say which data to use, or cannot be scored.
    """
    manifest = check_bundle(bundle)
    system = system_of_bundle(manifest, bundle)
    pairs = open_data(manifest, system.recipe, bundle, data, root=root, part=part)
    with BundlePredictor(
        bundle, manifest, system, seed=options.seed, steps=options.steps
    ) as predictor:
        # what comes first in a process loads kernels and memory: not the cost of a jump
        warm = pairs.pair(0)[0]
        predictor.predict(warm, pairs.parameters(0), step=0, caption=pairs.caption(0))
        predictor.seconds.clear()
        return _evaluate(predictor, system, pairs, system.recipe, options, root=root, done=done)


def evaluate_model(
    run: RunFolder,
    *,
    root: Path,
    part: str = "test",
    options: Options = QUICK,
    done: Done = lambda count, total: None,
) -> Result:
    """Evaluate a run's averaged model on a part of its data; arguments as of :func:`evaluate_bundle`."""
    recipe = run.recipe()
    system, pairs = system_of_run(recipe, run.statistics()), open_part(recipe, root=root, part=part)
    predictor = RunPredictor(run, steps=options.steps)
    options = replace(options, rivals={**Floor.rivals(predictor.trained), **options.rivals})
    return _evaluate(predictor, system, pairs, recipe, options, root=root, done=done)


def evaluate_run(run: RunFolder, *, root: Path, part: str = "test") -> Summary:
    """Evaluate a run's averaged model, and write ``evaluation.json`` when the part is ``test``."""
    result = evaluate_model(run, root=root, part=part)
    summary = {"step": run.model()[1], **summarise(result), "part": part}
    if part == "test":
        write_json(run.evaluation_file, summary)
    return summary


def _evaluate(
    predictor: Predictor,
    system: System,
    pairs: PairSet,
    recipe: Recipe | None,
    options: Options,
    *,
    root: Path,
    done: Done = lambda count, total: None,
) -> Result:
    _check_jump(system, pairs)
    indices = pairs.spread(options.pairs or len(pairs))
    rivals, coarse = dict(options.rivals), None
    if recipe is not None and recipe.evaluation.coarse is not None:
        source = pairs.files[0].parent
        coarse = open_coarse(recipe.evaluation.coarse, recipe.data, system, source, root=root)
        rivals[COARSE] = coarse
    result = collect(predictor, system, pairs, indices, rivals=rivals, done=done)
    result.solver_seconds = jump_seconds(pairs.files)
    if coarse is not None:
        result.coarse_seconds = jump_seconds([coarse.folder / file.name for file in pairs.files])
    _note_missing(result)
    if options.rollout is None or options.rollout > 1:
        result.rollout = roll_out(predictor, system, pairs, jumps=options.rollout)
    if options.examples:
        chosen = {name: indices[row] for name, row in result.extremes().items()}
        found = (
            predict_example(predictor, system, pairs, index, label=label)
            for label, index in chosen.items()
        )
        result.examples = [example for example in found if example is not None]
    members = options.members
    if members is None:
        members = MEMBERS if predictor.stochastic else 1
    if members > 1:
        result.ensemble = score_members(predictor, system, pairs, indices, members=members)
    return result


def _check_jump(system: System, pairs: PairSet) -> None:
    """Refuse pairs that are not the model's jump apart, unless it is told how far they are.

    Raises
    ------
    ValueError
        If they differ by more than :data:`ONE_JUMP`.
    """
    if any(p.name == DT for p in pairs.data.parameters):
        return
    found = pairs.jump(0)
    if abs(found - system.jump) > ONE_JUMP * system.jump:
        raise ValueError(
            f"the data's pairs are {found:g} apart in time, but the model jumps by {system.jump:g} {system.time_unit}: "
            "choose frames of that cadence, or data.stride"
        )


def _note_missing(result: Result) -> None:
    """Say which methods have fewer pairs than the data."""
    for method in result.methods:
        known = int(np.isfinite(result.column(method, "rmse")).all(1).sum())
        if known < len(result.pairs):
            note = f"{method}: {known} of {len(result.pairs)} pairs; its means are over those alone"
            if method != MODEL and known:
                ours, theirs = result.errors(), result.errors(method)
                both = np.isfinite(ours) & np.isfinite(theirs)
                note += f", where its error is {theirs[both].mean():.4g} and the model's {ours[both].mean():.4g}"
            result.notes.append(note)
