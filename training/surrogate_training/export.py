"""A run folder → a bundle ``NAME.surrogate/``, refused if its programs disagree with the reference."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import encode_tensors
from surrogate.environment.provenance import provenance
from surrogate_training.card import write_card
from surrogate_training.config import Recipe
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.data.statistics import Statistics
from surrogate_training.describe import EXAMPLE, PORTABLE, TORCHSCRIPT, Body, describe
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.example import choose_example
from surrogate_training.grid import GridRule
from surrogate_training.guards import add_guards
from surrogate_training.locality import Locality, measure_locality
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.scaling import Scaling
from surrogate_training.parity import (
    ParityError,
    check_programs,
    check_reference,
    example_tolerance,
)
from surrogate_training.predictor import Predictor
from surrogate_training.programs import Inputs, save_portable, save_torchscript
from surrogate_training.runfolder import PACKAGES, RunFolder

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
    predictor = Predictor(model, recipe, statistics)
    inputs = predictor.inputs(sets["test"], 0)
    rule = GridRule.of(recipe, (inputs[0].shape[-2], inputs[0].shape[-1]))
    body = describe(recipe, statistics, model, _locality(model, recipe, inputs), rule) | facts
    body = add_guards(body, sets, predictor)
    example = choose_example(predictor, sets, _draft(body))
    scaling = Scaling(recipe, statistics, dtype=torch.float64)
    with tempfile.TemporaryDirectory() as scratch:
        portable, script = Path(scratch) / "portable.pt2", Path(scratch) / "torchscript.pt"
        save_portable(model, inputs, portable, rule=rule)
        save_torchscript(model, inputs, script)
        parity: Body = {
            "programs": check_programs(
                model, example, scaling, portable=portable, script=script, rule=rule
            )
        }
        body["provenance"] = {**body["provenance"], "parity": parity}
        body["example"] = {"tolerance": example_tolerance(scaling, example)}
        files: dict[str, bytes | Path] = {
            PORTABLE: portable,
            TORCHSCRIPT: script,
            EXAMPLE: encode_tensors(example.tensors(model)),
        }
        files["card.md"] = write_card(_draft(body)).encode()
        # check before anything appears under the bundle's own name
        staged = Path(scratch) / out.name
        write_bundle(staged, files, **body)
        parity["reference"] = check_reference(staged, example, scaling)
        out.parent.mkdir(parents=True, exist_ok=True)
        return write_bundle(out, files, **body)


def _draft(body: Body) -> Manifest:
    """The manifest before there are files to hash: card and example are made from it and become part of the bundle."""
    nothing = {"bytes": 0, "sha256": "0" * 64}
    files = dict.fromkeys((PORTABLE, TORCHSCRIPT, EXAMPLE), nothing)
    return Manifest.model_validate({**body, "files": files})


def _check_name(out: Path) -> None:
    if out.suffix != ".surrogate":
        raise ValueError(f"{out}: a bundle's name ends in .surrogate, e.g. {out.stem}.surrogate")


def _locality(model: FieldModel, recipe: Recipe, inputs: Inputs) -> Locality:
    """Measured, except of a net that sees whole frames by its making, whatever its norms."""
    multiple = recipe.model.multiple
    if recipe.model.whole_frames:
        return Locality.whole(multiple)
    parameters = [entry for entry in inputs[1:] if entry.ndim == 2]

    def program(x: Tensor) -> Tensor:
        return model(x, *parameters)  # type: ignore[no-any-return]

    return measure_locality(program, channels=inputs[0].shape[1], multiple=multiple)


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
