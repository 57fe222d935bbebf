"""A run folder → a bundle ``NAME.surrogate/``, refused if its programs disagree with the reference."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import encode_tensors
from surrogate.environment.provenance import provenance
from surrogate_training.card import write_card
from surrogate_training.config import FieldSpec, Recipe
from surrogate_training.data.pairs import open_sets
from surrogate_training.data.statistics import FieldStatistics, Statistics
from surrogate_training.evaluation.evaluate import evaluate_run
from surrogate_training.guards import add_guards, predictor
from surrogate_training.locality import Locality, measure_locality
from surrogate_training.models.scaling import Scaling
from surrogate_training.parity import TOLERANCE, ParityError, check_programs, check_reference
from surrogate_training.programs import save_portable, save_torchscript
from surrogate_training.runfolder import PACKAGES, RunFolder

BOUNDARIES = {"periodic": "periodic", "replicate": "open", "zero": "wall"}
PORTABLE, TORCHSCRIPT = "programs/portable.pt2", "programs/torchscript.pt"

__all__ = ["ParityError", "export_run"]


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
        If the name does not end in ``.surrogate``.
    """
    if out.suffix != ".surrogate":
        raise ValueError(f"{out}: a bundle's name ends in .surrogate, e.g. {out.stem}.surrogate")
    recipe, statistics = run.recipe(), run.statistics()
    model, step = run.model()
    # torch.export stores plainly laid out weights only; the engines reorder them as they need
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    metrics = _metrics(run, step, root=root)
    sets = open_sets(recipe.data, root=root)
    state = torch.from_numpy(np.array(sets["test"].pair(0)[:1]))  # (1, C, ny, nx)
    x = Scaling(recipe, statistics).normalise(state)
    with torch.no_grad():
        y = model(x)
    locality = measure_locality(model, channels=x.shape[1], multiple=recipe.model.multiple)
    with tempfile.TemporaryDirectory() as scratch:
        portable, script = Path(scratch) / "portable.pt2", Path(scratch) / "torchscript.pt"
        save_portable(model, x, portable, multiple=recipe.model.multiple)
        save_torchscript(model, x, script)
        difference = check_programs(model, x, portable=portable, script=script)
        body = _body(recipe, statistics, locality, metrics, _provenance(run, step, root=root))
        body = add_guards(body, sets, predictor(model, recipe, statistics))
        body["example"] = {"tolerance": TOLERANCE}
        body["provenance"]["parity"] = {"programs": difference}
        example = {"input": _array(x), "expected": _array(y)}
        files: dict[str, bytes | Path] = {
            PORTABLE: portable,
            TORCHSCRIPT: script,
            "example.safetensors": encode_tensors(example),
        }
        # the card is part of the bundle and made from its manifest: first a manifest without files to hash
        draft = Manifest.model_validate({**body, "files": _placeholders(files)})
        files["card.md"] = write_card(draft).encode()
        # check before anything appears under the bundle's own name
        staged = Path(scratch) / out.name
        write_bundle(staged, files, **body)
        error = check_reference(
            staged, state, predicted(state, y, statistics, recipe), statistics, recipe
        )
        body["provenance"]["parity"]["reference"] = error
        out.parent.mkdir(parents=True, exist_ok=True)
        return write_bundle(out, files, **body)


def predicted(state: Tensor, y: Tensor, statistics: Statistics, recipe: Recipe) -> Tensor:
    """The frame at t2 from normalised increments, composed in double."""
    scales = [statistics.fields[name].increment_std for name in recipe.names]
    return state.double() + torch.tensor(scales, dtype=torch.float64)[:, None, None] * y.double()


def _body(
    recipe: Recipe,
    statistics: Statistics,
    locality: Locality,
    metrics: dict[str, Any],
    provenance: dict[str, Any],
) -> dict[str, Any]:
    """All keys of the manifest but ``files``."""
    k = recipe.model.multiple
    torch_version = f"torch {torch.__version__}"
    programs = [
        {"name": "portable", "format": "torch.export", "file": PORTABLE},
        {"name": "torchscript", "format": "torchscript", "file": TORCHSCRIPT},
    ]
    fields = [_field(f, statistics.fields[f.name]) for f in recipe.data.fields]
    bounds = {f.name: _bounds(f, statistics.fields[f.name]) for f in recipe.data.fields}
    return {
        "name": recipe.name,
        "description": recipe.description,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fields": fields,
        "grid": {
            "axes": ["y", "x"],
            "multiple_of": [k, k],
            "minimum_shape": [2 * k, 2 * k],
            "boundary": [BOUNDARIES[kind] for kind in recipe.model.boundary],
            "spacing": list(statistics.spacing),
            "spacing_unit": recipe.physics.length_unit,
        },
        "time": {"step": statistics.jump, "unit": recipe.physics.time_unit},
        "locality": {
            "receptive_field": list(locality.receptive_field),
            "stride": list(locality.stride),
            "reduces_over_space": locality.reduces_over_space,
        },
        "programs": [{"engine": "torch", "made_with": torch_version, **p} for p in programs],
        # a potential has no bounds: its gauge is free; the other guards are measured by add_guards
        "guards": {"bounds": {n: b for n, b in bounds.items() if n not in recipe.potentials}},
        "metrics": metrics,
        "provenance": provenance,
    }


def _field(field: FieldSpec, s: FieldStatistics) -> dict[str, Any]:
    return {
        "name": field.name,
        "unit": field.unit,
        "staggering": field.location,
        "description": field.description,
        "conserved": field.conserved,
        "normalisation": {"mean": [s.mean], "std": [s.std]},
        "prediction": {"kind": "increment", "scale": [s.increment_std], "offset": [0.0]},
        "trained_range": [(s.minimum, s.maximum)],
    }


def _bounds(field: FieldSpec, s: FieldStatistics) -> dict[str, float]:
    """Wide bounds: one width of the trained range to each side; positive fields stay above a tenth of it."""
    width = s.maximum - s.minimum
    lower = 0.1 * s.minimum if field.positive else s.minimum - width
    return {"lower": lower, "upper": s.maximum + width}


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


def _array(x: Tensor) -> np.ndarray:
    return np.ascontiguousarray(x.detach().numpy(), dtype=np.float32)


def _placeholders(files: dict[str, bytes | Path]) -> dict[str, dict[str, Any]]:
    return {name: {"bytes": 0, "sha256": "0" * 64} for name in files}
