"""What training has seen, for the guards of a bundle, and thresholds that accept it.

Every number is measured by :func:`surrogate.reference_guards.judge`, the oracle of the run time: with limits that all
states break, it says by how much. A threshold is the largest number over the pairs of the training and validation
sets, and over the model's own predictions on the validation set, times ``MARGIN``. States are those that the run time
gets: cells without data are filled, and count like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

Array = np.ndarray
Body = dict[str, Any]
Predict = Callable[[PairSet, int], Array]
"""(pairs, index) → the whole state at t2 that a model predicts, (1, C, ny, nx): conditions as they were."""

MARGIN = 1.5
LEAST_DEVIATION = 0.01
"""Least standard deviation of a frame's mean or deviation, in deviations of the field: some are constant."""
LEAST_SHARE, LEAST_TOLERANCE = 1e-3, 1e-6
_IMPOSSIBLE = 1e300


def add_guards(body: Body, sets: dict[str, PairSet], predict: Predict) -> Body:
    """Fill ``fields[].trained_*`` and ``guards`` of a manifest's keys; bounds that are there stay.

    Parameters
    ----------
    body : dict
        Keys of a :class:`Manifest`, without ``files``.
    sets : dict of str to PairSet
        ``train`` and ``validation``.
    predict : callable
        The model's own predictions: a :class:`~surrogate_training.predictor.Predictor`.
    """
    trained = _trained(sets["train"], body["fields"])
    fields = [{**field, **trained[c]} for c, field in enumerate(body["fields"])]
    draft = {**body, "fields": fields, "files": {}}
    conserved = any(field["conserved"] for field in fields)
    found = _largest(draft, conserved, _transitions(sets, predict))
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
    body = add_guards(body, open_sets(recipe.data, root=root), Predictor(model, recipe, statistics))
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


def _transitions(sets: dict[str, PairSet], predict: Predict) -> Iterator[tuple[Array, Array]]:
    """States at t1 and frames at t2, (1, C, ny, nx): those of the data, and the model's on the validation set."""
    for part in ("train", "validation"):
        for i in range(len(sets[part])):
            pair = np.array(sets[part].pair(i))  # (2, C, ny, nx)
            yield pair[:1], pair[1:]
            if part == "validation":
                yield pair[:1], predict(sets[part], i)


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
