"""What training has seen, for the guards of a bundle, and thresholds that accept it.

Every number is measured by :func:`surrogate.reference_guards.judge`, the oracle of the run time: with limits that all
states break, it says by how much. A threshold is the largest number over the pairs of the training and validation
sets, and over the model's own predictions on the validation set, times ``MARGIN``; those of a generative model take
turns with its numbers of steps. The spread of ensembles is measured on small ones. States are those that the run time
gets: cells without data are filled, and count like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.bundle.folder import MANIFEST, check_bundle, write_bundle
from surrogate.bundle.guards import Guards
from surrogate.bundle.manifest import Manifest
from surrogate.reference_guards import judge
from surrogate_training.card import write_card
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.predictor import Predictor
from surrogate_training.runfolder import RunFolder
from surrogate_training.variants import variants_of

Array = np.ndarray
Body = dict[str, Any]

MARGIN = 1.5
MEMBERS, ENSEMBLES = 4, 12
"""Of a stochastic model: members of an ensemble whose spread is measured, and about how many of them."""
LEAST_DEVIATION = 0.01
"""Least standard deviation of a frame's mean or deviation, in deviations of the field: some are constant."""
LEAST_SHARE, LEAST_TOLERANCE = 1e-3, 1e-6
_IMPOSSIBLE = 1e300


def add_guards(body: Body, sets: dict[str, PairSet], predictors: Sequence[Predictor]) -> Body:
    """Fill ``fields[].trained_*`` and ``guards`` of a manifest's keys; bounds that are there stay.

    Parameters
    ----------
    body : dict
        Keys of a :class:`Manifest`, without ``files``.
    sets : dict of str to PairSet
        ``train`` and ``validation``.
    predictors : sequence of Predictor
        The model; of a generative one its variants.
    """
    trained = _trained(sets["train"], body["fields"])
    fields = [{**field, **trained[c]} for c, field in enumerate(body["fields"])]
    draft = {**body, "fields": fields, "files": {}}
    conserved = any(field["conserved"] for field in fields)
    found = _largest(draft, conserved, _transitions(sets, predictors))
    guards = {
        "finite": True,
        "bounds": body.get("guards", {}).get("bounds", {}),
        "range": {"share": _rounded(max(MARGIN * found["range"], LEAST_SHARE))},
        "statistics": {"distance": _rounded(MARGIN * found["statistics"])},
        "jump": {
            "lower": _rounded(found["jump, least"] / MARGIN),
            "upper": _rounded(MARGIN * found["jump"]),
        },
    }
    if conserved:
        tolerance = _rounded(max(MARGIN * found["conserved"], LEAST_TOLERANCE))
        guards |= {"conserved": {"tolerance": tolerance}, "policy": {"conserved": "project"}}
    if body["noise"]:
        guards["spread"] = {"upper": _rounded(MARGIN * _spread(sets, predictors, fields))}
    return {**body, "fields": fields, "guards": Guards.model_validate(guards).model_dump()}


def refresh_guards(run: RunFolder, bundle: Path, *, root: Path) -> Manifest:
    """Measure the guards of a bundle again, from the run that made it and its data; programs stay as they are.

    Parameters
    ----------
    run : RunFolder
        The run that the bundle was exported from.
    bundle : Path
        Rewritten as a whole, or not at all.
    root : Path
        Folder that the recipe's ``data.path`` is relative to.

    Raises
    ------
    ValueError
        If the bundle was made by another run.
    """
    manifest = check_bundle(bundle)
    recipe, statistics = run.recipe(), run.statistics()
    model, step = run.model()
    made = [field.normalisation.mean[0] for field in manifest.fields]
    if made != [statistics.fields[name].mean for name in recipe.names] or step != (
        manifest.provenance.get("steps")
    ):
        raise ValueError(f"{bundle} was not exported from {run.path}: give the run that made it")
    body = manifest.model_dump(mode="json", exclude={"files"})
    variants = variants_of(model, recipe)
    predictors = [Predictor(variant.model, recipe, statistics) for variant in variants]
    body = add_guards(body, open_sets(recipe.data, root=root), predictors)
    files: dict[str, bytes | Path] = {
        name: (bundle / name).read_bytes() for name in manifest.files if name != MANIFEST
    }
    files["card.md"] = write_card(
        Manifest.model_validate({**body, "files": manifest.files})
    ).encode()
    return write_bundle(bundle, files, **body)


def _trained(pairs: PairSet, fields: list[Body]) -> list[Body]:
    """``trained_statistics`` of every field (of one component), in order, and ``trained_jump`` of predicted ones."""
    means, deviations, squares = [], [], []
    for i in range(len(pairs)):
        u, v = pairs.pair(i).astype(np.float64)  # (C, ny, nx) each
        means.append(u.mean((1, 2)))
        deviations.append(u.std((1, 2)))
        squares.append(((v - u) ** 2).mean((1, 2)))
    jump = np.sqrt(np.mean(squares, axis=0))  # (C,)
    result = []
    for c, field in enumerate(fields):
        least = LEAST_DEVIATION * field["normalisation"]["std"][0]
        mean, deviation = ([values[c] for values in s] for s in (means, deviations))
        statistics = {
            "mean": [(float(np.mean(mean)), max(float(np.std(mean)), least))],
            "std": [(float(np.mean(deviation)), max(float(np.std(deviation)), least))],
        }
        change = [float(jump[c])] if field["prediction"] is not None else []
        result.append({"trained_statistics": statistics, "trained_jump": change})
    return result


def _transitions(
    sets: dict[str, PairSet], predictors: Sequence[Predictor]
) -> Iterator[tuple[Array, Array]]:
    """States at t1 and frames at t2, (1, C, ny, nx): those of the data, and the model's on the validation set."""
    for part in ("train", "validation"):
        for i in range(len(sets[part])):
            pair = np.array(sets[part].pair(i))  # (2, C, ny, nx)
            yield pair[:1], pair[1:]
    pairs = sets["validation"]
    for i, predict in _turns(pairs, predictors, len(pairs)):
        yield np.array(pairs.pair(i)[:1]), predict(pairs, i)


def _turns(
    pairs: PairSet, predictors: Sequence[Predictor], count: int
) -> Iterator[tuple[int, Predictor]]:
    """So many pairs, spread over the set, each with the next predictor; every predictor has one at least."""
    indices = pairs.spread(count) if len(pairs) else []
    turns = max(len(indices), len(predictors)) if indices else 0
    for n in range(turns):
        yield indices[n % len(indices)], predictors[n % len(predictors)]


def _spread(sets: dict[str, PairSet], predictors: Sequence[Predictor], fields: list[Body]) -> float:
    """Largest rms of the standard deviation over members, over the trained jump, of small ensembles."""
    jumps = np.array(
        [field["trained_jump"][0] for field in fields if field["trained_jump"]]
    )  # (P,)
    pairs, largest = sets["validation"], 0.0
    for i, predictor in _turns(pairs, predictors, ENSEMBLES):
        state = np.array(pairs.pair(i)[:1])
        frames = predictor.members(state, pairs.parameters(i), step=i, members=MEMBERS)
        variance = frames.astype(np.float64).var(0, ddof=1)  # (P, ny, nx)
        largest = max(largest, float((np.sqrt(variance.mean((1, 2))) / jumps).max()))
    return largest


def _largest(
    draft: Body, conserved: bool, transitions: Iterator[tuple[Array, Array]]
) -> dict[str, float]:
    """Largest number of every guard, and the least of ``jump``, over all transitions and channels."""
    all_kept = dict.fromkeys(["range", "statistics", "jump", "conserved"], "keep")
    guards: Body = {
        "range": {"share": 0.0},
        "statistics": {"distance": 0.0},
        "jump": {"upper": 0.0},
        "policy": all_kept,
    }
    if conserved:
        guards["conserved"] = {"tolerance": 0.0}
    programs: Body = {"programs": [{**p, "file": "none"} for p in draft["programs"]]}
    files = {"none": {"bytes": 0, "sha256": "0" * 64}}
    plain = {**draft, **programs, "example": None, "files": files}
    strict = Manifest.model_validate({**plain, "guards": guards})
    least = {"jump": {"lower": _IMPOSSIBLE}, "policy": all_kept}
    inverse = Manifest.model_validate({**plain, "guards": least})
    found = dict.fromkeys(["range", "statistics", "jump", "conserved"], 0.0)
    found["jump, least"] = np.inf
    for state, frame in transitions:
        for finding in judge(strict, state, frame).findings:
            found[finding.guard] = max(found[finding.guard], finding.value)
        for finding in judge(inverse, state, frame).findings:
            found["jump, least"] = min(found["jump, least"], finding.value)
    return found


def _rounded(value: float) -> float:
    """Three digits are enough for a threshold."""
    return float(f"{value:.3g}")
