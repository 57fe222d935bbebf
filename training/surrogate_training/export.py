"""A run folder → a bundle ``NAME.surrogate/``, refused if its programs disagree with the reference."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import encode_tensors
from surrogate.environment.provenance import provenance
from surrogate_training.card import write_card
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.describe import EXAMPLE, TORCHSCRIPT, Body, describe
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.example import choose_example
from surrogate_training.extent import model_locality
from surrogate_training.grid import GridRule
from surrogate_training.guards import add_guards
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.scaling import Scaling
from surrogate_training.parity import (
    ParityError,
    check_programs,
    check_reference,
    example_tolerance,
)
from surrogate_training.predictor import Predictor
from surrogate_training.programs import Inputs, save_methods, save_portable, save_torchscript
from surrogate_training.runfolder import PACKAGES, RunFolder
from surrogate_training.variants import Variant, variants_of

__all__ = ["ParityError", "export_model", "export_run"]


def export_run(run: RunFolder, out: Path, *, root: Path) -> Manifest:
    """Export a run's averaged model.

    Parameters
    ----------
    run : RunFolder
        A trained run; it is evaluated first if it has not been.
    out : Path
        The bundle; its name ends in ``.surrogate``.
    root : Path
        Folder that the recipe's ``data.path`` is relative to: the example is a test state.

    Raises
    ------
    ParityError
        If a program disagrees with the model, or with :mod:`surrogate.reference` in float64.
    ValueError
        If the name does not end in ``.surrogate``, or the run is an autoencoder's.
    """
    _check_name(out)
    if run.recipe().method.kind == "vae":
        raise ValueError(
            f"{run.path}: an autoencoder predicts no frame; train a model of its latents (method.autoencoder) and "
            "export that"
        )
    model, step = run.model()
    facts = {
        "metrics": _metrics(run, step, root=root),
        "provenance": _provenance(run, step, root=root),
    }
    recipe = run.recipe()
    sets = open_sets(recipe.data, root=root)
    return export_model(model, recipe, run.statistics(), sets, out, facts=facts)


def export_model(
    model: FieldModel,
    recipe: Recipe,
    statistics: Statistics,
    sets: dict[str, PairSet],
    out: Path,
    *,
    facts: Body,
) -> Manifest:
    """Export a model, in eval mode and without gradients.

    Parameters
    ----------
    model : FieldModel
        Of `recipe` and `statistics`; its memory format changes.
    recipe, statistics
        As it was trained.
    sets : dict of str to PairSet
        ``train`` and ``validation``, which the guards are measured on, and ``test``, which the example is from.
    out : Path
        The bundle.
    facts : dict
        ``metrics`` and ``provenance`` of the manifest.

    Raises
    ------
    ParityError
        If a program disagrees with the model, or with :mod:`surrogate.reference` in float64.
    """
    _check_name(out)
    # torch.export stores plainly laid out weights only; the engines reorder them as they need
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    variants = variants_of(model, recipe)
    predictors = [Predictor(variant.model, recipe, statistics) for variant in variants]
    predictor = predictors[0]
    inputs = predictor.inputs(sets["test"], 0)
    rule = GridRule.of(recipe, (inputs[0].shape[-2], inputs[0].shape[-1]))
    body = describe(recipe, statistics, model, model_locality(model, recipe), rule) | facts
    body = add_guards(body, sets, predictors)
    example = choose_example(predictor, sets, _draft(body))
    scaling = Scaling(recipe, statistics, dtype=torch.float64)
    with tempfile.TemporaryDirectory() as scratch:
        programs = _save(variants, example.inputs, Path(scratch), rule=rule)
        parity: Body = {
            "programs": check_programs(variants, example, scaling, folder=Path(scratch), rule=rule)
        }
        body["provenance"] = {**body["provenance"], "parity": parity}
        body["example"] = {"tolerance": example_tolerance(scaling, example)}
        files: dict[str, bytes | Path] = {
            **programs,
            EXAMPLE: encode_tensors(example.tensors(model)),
        }
        files["card.md"] = write_card(_draft(body)).encode()
        # check before anything appears under the bundle's own name
        staged = Path(scratch) / out.name
        write_bundle(staged, files, **body)
        parity["reference"] = check_reference(staged, variants, example, scaling)
        out.parent.mkdir(parents=True, exist_ok=True)
        return write_bundle(out, files, **body)


def _save(
    variants: Sequence[Variant], inputs: Inputs, folder: Path, *, rule: GridRule
) -> dict[str, Path]:
    """Write all programs; returns the files by their names in the bundle."""
    (folder / TORCHSCRIPT).parent.mkdir()
    for variant in variants:
        save_portable(variant.model, inputs, folder / variant.portable_file, rule=rule)
    if variants[0].steps is None:
        save_torchscript(variants[0].model, inputs, folder / TORCHSCRIPT)
    else:
        models = {variant.method: variant.model for variant in variants}
        save_methods(models, inputs, folder / TORCHSCRIPT)
    names = [*(variant.portable_file for variant in variants), TORCHSCRIPT]
    return {name: folder / name for name in names}


def _draft(body: Body) -> Manifest:
    """The manifest before there are files to hash: card and example are made from it and become part of the bundle."""
    nothing = {"bytes": 0, "sha256": "0" * 64}
    names = {EXAMPLE, *(program["file"] for program in body["programs"])}
    return Manifest.model_validate({**body, "files": dict.fromkeys(names, nothing)})


def _check_name(out: Path) -> None:
    if out.suffix != ".surrogate":
        raise ValueError(f"{out}: a bundle's name ends in .surrogate, e.g. {out.stem}.surrogate")


def _metrics(run: RunFolder, step: int, *, root: Path) -> dict[str, Any]:
    if run.evaluation_file.is_file():
        found: dict[str, Any] = json.loads(run.evaluation_file.read_text())
        if found.get("step") == step:
            return found
    return evaluate_run(run, root=root)


def _provenance(run: RunFolder, step: int, *, root: Path) -> dict[str, Any]:
    recipe, statistics = run.recipe(), run.statistics()
    quantiles = {name: [s.low, s.high] for name, s in statistics.fields.items()}
    return {
        "recipe": json.loads(recipe.model_dump_json()),
        "seed": recipe.seed,
        "steps": step,
        "training_pairs": statistics.pairs,
        "quantiles_0.1_99.9_percent": quantiles,
        "constants": statistics.constants,
        "environment": run.environment(),
        "export_environment": provenance(root, packages=PACKAGES),
    }
