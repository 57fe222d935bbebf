"""What a manifest says of a trained model: fields, grid, time, scalar parameters, noise, locality."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from surrogate.bundle.names import GUIDANCE
from surrogate_training.config import FieldSpec, ParameterSpec, Recipe
from surrogate_training.data.statistics import FieldStatistics, ParameterStatistics, Statistics
from surrogate_training.grid import GridRule
from surrogate_training.locality import Locality
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import guided
from surrogate_training.variants import Variant, variants_of

BOUNDARIES = {"periodic": "periodic", "replicate": "open", "zero": "wall"}
TORCHSCRIPT = "programs/torchscript.pt"
EXAMPLE = "example.safetensors"

Body = dict[str, Any]


def describe(
    recipe: Recipe,
    statistics: Statistics,
    model: FieldModel,
    locality: Locality,
    rule: GridRule,
) -> Body:
    """All keys of the manifest but those of data (guards, example, metrics, provenance) and ``files``."""
    k = rule.multiple
    of_frame = recipe.model.target == "frame"
    fields = [_field(f, statistics.fields[f.name], of_frame) for f in recipe.data.fields]
    bounds = {f.name: _bounds(f, statistics.fields[f.name]) for f in recipe.data.fields}
    parameters = [_parameter(p, statistics) for p in recipe.data.parameters]
    # a bundle's step is the one that it takes when nobody says another
    step = next((p["preset"] for p in parameters if p["name"] == "dt"), statistics.jump)
    parameters += [_guidance(recipe)] if guided(model) else []
    captions = recipe.data.captions
    return {
        "name": recipe.name,
        "description": recipe.description,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "fields": fields,
        "grid": {
            "axes": ["y", "x"],
            "fixed_shape": list(rule.fixed) if rule.fixed else None,
            "multiple_of": [k, k],
            "minimum_shape": list(rule.fixed or (rule.minimum * k, rule.minimum * k)),
            "boundary": [BOUNDARIES[kind] for kind in recipe.model.boundary],
            "spacing": list(statistics.spacing),
            "spacing_unit": recipe.physics.length_unit,
        },
        "time": {"step": step, "unit": recipe.physics.time_unit},
        "parameters": parameters,
        "noise": [{"name": name, "channels": n} for name, n in model.noise_inputs.items()],
        **({"sampler": _sampler(model, recipe)} if isinstance(model, GenerativeModel) else {}),
        **({"text": captions.text.model_dump()} if captions is not None else {}),
        "locality": {
            "receptive_field": list(locality.receptive_field),
            "stride": list(locality.stride),
            "reduces_over_space": locality.reduces_over_space,
        },
        "programs": [program for v in variants_of(model, recipe) for program in _programs(v)],
        # a potential has no bounds: its gauge is free; the other guards are measured by add_guards
        "guards": {"bounds": {n: b for n, b in bounds.items() if n not in recipe.potentials}},
    }


def _programs(variant: Variant) -> list[Body]:
    """The two forms of a variant."""
    made: Body = {"engine": "torch", "made_with": f"torch {torch.__version__}"}
    portable = {"format": "torch.export", "file": variant.portable_file}
    script: Body = {"format": "torchscript", "file": TORCHSCRIPT}
    if variant.steps is not None:
        made |= {"steps": variant.steps}
        script |= {"method": variant.method}
    return [
        made | {"name": f"portable{variant.suffix}"} | portable,
        made | {"name": f"torchscript{variant.suffix}"} | script,
    ]


def _sampler(model: GenerativeModel, recipe: Recipe) -> Body:
    config = recipe.sampler
    return {
        "method": recipe.method.kind,
        "kind": model.sampler,
        "steps": sorted(config.steps),
        "preset": config.preset,
        "members": config.members,
        "guidance": config.guidance if guided(model) else None,
    }


def _guidance(recipe: Recipe) -> Body:
    """A call that names none gets the conditional model itself."""
    largest = recipe.sampler.guidance
    return {"name": GUIDANCE, "unit": "1", "range": (0.0, largest), "preset": min(1.0, largest)}


def _field(field: FieldSpec, s: FieldStatistics, of_frame: bool) -> Body:
    prediction = {
        "kind": "frame" if of_frame else "increment",
        "scale": [s.std if of_frame else s.increment_std],
        "offset": [s.mean if of_frame else 0.0],
    }
    scaling = {"kind": field.scaling, "softening": field.softening}
    return {
        "name": field.name,
        "unit": field.unit,
        "staggering": field.location,
        "description": _description(field),
        "conserved": field.conserved,
        "normalisation": {"mean": [s.mean], "std": [s.std]},
        "scaling": None if field.scaling == "linear" else scaling,
        "prediction": None if field.condition else prediction,
        "trained_range": [(s.minimum, s.maximum)],
    }


def _description(field: FieldSpec) -> str:
    if not field.interval:
        return field.description
    return f"{field.description}, mean from t1 to t2".removeprefix(", ")


def _bounds(field: FieldSpec, s: FieldStatistics) -> dict[str, float]:
    """Wide bounds: one width of the trained range to each side; positive fields stay above a tenth of it."""
    width = s.maximum - s.minimum
    lower = 0.1 * s.minimum if field.positive else s.minimum - width
    return {"lower": lower, "upper": s.maximum + width}


def _parameter(parameter: ParameterSpec, statistics: Statistics) -> Body:
    """Range of training; the preset is the median, and of dt the default jump if training has had it."""
    s: ParameterStatistics = statistics.parameters[parameter.name]
    known = s.minimum <= statistics.jump <= s.maximum or np.isclose(
        statistics.jump, [s.minimum, s.maximum], rtol=1e-5  # data holds it in float32
    ).any()  # fmt: skip
    preset = statistics.jump if parameter.name == "dt" and known else s.median
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "range": (s.minimum, s.maximum),
        "preset": float(np.clip(preset, s.minimum, s.maximum)),
    }
