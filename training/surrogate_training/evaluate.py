"""Errors of a model beside persistence, per field, on trajectories that it has not seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from surrogate.bundle.manifest import Manifest
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import FieldStatistics, Statistics
from surrogate_training.metrics.relative import mean_score, relative_errors
from surrogate_training.models.scaling import Scaling
from surrogate_training.programs import load_torchscript
from surrogate_training.recipe import parse_recipe
from surrogate_training.runfolder import RunFolder

Errors = dict[str, np.ndarray]


@torch.no_grad()
def errors_on(
    model: nn.Module,
    pairs: PairSet,
    indices: list[int],
    recipe: Recipe,
    statistics: Statistics,
    scaling: Scaling,
) -> tuple[Errors, Errors]:
    """Relative errors of the model and of persistence, per field an array over ``indices``."""
    device = scaling.get_buffer("mean").device
    model_errors: dict[str, list[float]] = {}
    still_errors: dict[str, list[float]] = {}
    for index in indices:
        pair = torch.from_numpy(np.array(pairs.pair(index))).to(device)  # (2, C, ny, nx)
        u1, u2 = pair[:1], pair[1:]
        predicted = scaling.frame(u1, model(scaling.normalise(u1)))
        still, truth = scaling.predicted(u1), scaling.predicted(u2)
        for into, frame in ((model_errors, predicted), (still_errors, still)):
            for name, e in relative_errors(frame, truth, recipe, statistics).items():
                into.setdefault(name, []).append(float(e))
    return (
        {name: np.asarray(e) for name, e in model_errors.items()},
        {name: np.asarray(e) for name, e in still_errors.items()},
    )


def summarise(model: Errors, persistence: Errors, recipe: Recipe) -> dict[str, Any]:
    """The figures that a manifest and a report quote.

    ``error`` is the mean over the fields that count of the mean over samples of RMS(prediction - u2) / std(u2);
    ``worst_field_over_persistence`` the largest ratio of a counted field's error to that of persistence.
    """
    means = {name: float(e.mean()) for name, e in model.items()}
    still = {name: float(e.mean()) for name, e in persistence.items()}
    ratios = {name: means[name] / still[name] for name in means}
    counted = {name: r for name, r in ratios.items() if name not in recipe.potentials}
    per_sample = np.mean([model[name] for name in counted], axis=0)
    error, persistence_error = mean_score(means, recipe), mean_score(still, recipe)
    return {
        "definition": "RMS(prediction - u2) / std(u2) per field and pair, mean over pairs and counted fields",
        "counted_fields": sorted(counted),
        "pairs": len(per_sample),
        "error": error,
        "error_std_over_pairs": float(per_sample.std()),
        "error_worst_pair": float(per_sample.max()),
        "persistence_error": persistence_error,
        "error_over_persistence": error / persistence_error,
        "worst_field_over_persistence": max(counted.values()),
        "worst_field": max(counted, key=lambda name: counted[name]),
        "fields": {
            name: {
                "error": means[name],
                "persistence": still[name],
                "ratio": ratios[name],
                "error_90_percent": float(np.quantile(model[name], 0.9)),
            }
            for name in means
        },
    }


def evaluate_model(
    model: nn.Module, recipe: Recipe, statistics: Statistics, *, root: Path, part: str = "test"
) -> dict[str, Any]:
    """Evaluate on every pair of a part of the split."""
    pairs = open_sets(recipe.data, root=root)[part]
    if len(pairs) == 0:
        raise ValueError(f"data.split.{part} is 0: there is nothing to evaluate on")
    errors = errors_on(
        model, pairs, list(range(len(pairs))), recipe, statistics, Scaling(recipe, statistics)
    )
    summary = summarise(*errors, recipe)
    summary["part"], summary["trajectories"] = part, len(pairs.runs)
    summary["by_frame"] = _by_frame(errors[0], pairs, recipe)
    return summary


def evaluate_run(run: RunFolder, *, root: Path, part: str = "test") -> dict[str, Any]:
    """Evaluate a run's averaged model, and write ``evaluation.json`` when the part is ``test``."""
    model, step = run.model()
    summary = {
        "step": step,
        **evaluate_model(model, run.recipe(), run.statistics(), root=root, part=part),
    }
    if part == "test":
        run.evaluation_file.write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def evaluate_bundle(bundle: Path, *, root: Path, part: str = "test") -> dict[str, Any]:
    """Evaluate a bundle's TorchScript program on the data of the recipe that made it."""
    from surrogate.bundle.folder import check_bundle

    manifest = check_bundle(bundle)
    if "recipe" not in manifest.provenance:
        raise ValueError(
            f"{bundle} does not say by which recipe it was made: evaluate its run folder instead"
        )
    recipe = parse_recipe(manifest.provenance["recipe"], where=f"{bundle}: provenance.recipe")
    script = next((p.file for p in manifest.programs if p.format == "torchscript"), None)
    if script is None:
        raise ValueError(f"{bundle} holds no TorchScript program")
    statistics = statistics_of(manifest)
    model = load_torchscript(bundle / script)
    return evaluate_model(model, recipe, statistics, root=root, part=part)


def statistics_of(manifest: Manifest) -> Statistics:
    """What scoring needs of the training statistics, from a manifest."""
    fields = {}
    for f in manifest.fields:
        if f.prediction is None or not f.trained_range:
            raise ValueError(
                f"field {f.name} is not predicted: such bundles cannot be scored here yet"
            )
        low, high = f.trained_range[0]
        scale, norm = f.prediction.scale[0], f.normalisation
        fields[f.name] = FieldStatistics(
            norm.mean[0], norm.std[0], scale, 1.0, 1.0, low, high, low, high
        )
    dy, dx = manifest.grid.spacing or (1.0, 1.0)
    return Statistics(fields, (0, 0), (dy, dx), manifest.time.step, {}, 0)


def _by_frame(errors: Errors, pairs: PairSet, recipe: Recipe) -> dict[str, float]:
    """Mean error by the number of the first frame: pairs late in a trajectory may be harder."""
    counted = [e for name, e in errors.items() if name not in recipe.potentials]
    mean = np.mean(counted, axis=0)
    frames = np.asarray([pairs.where(i)[1] for i in range(len(pairs))])
    return {str(n): float(mean[frames == n].mean()) for n in sorted(set(frames.tolist()))}
