"""A result as the JSON that manifests, checks and people read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate_training.evaluation.ensembles import COLUMNS
from surrogate_training.evaluation.result import BASELINES, MODEL, Result
from surrogate_training.evaluation.scores import DEFINITIONS, DIMENSIONS, METRICS

Array = NDArray[np.float64]
Summary = dict[str, Any]

PERSISTENCE = BASELINES[0]
ONLY = "the model's one frame of each pair"
MEMBER = (
    "one member of each pair's ensemble, as it is, not their mean: its scores stand under ensemble"
)
"""What the scores of ``model`` are of."""
ERROR = "RMS(prediction - u2) / std(u2) per field and pair, mean over pairs and counted fields"


def summarise(result: Result) -> Summary:
    """Means over pairs, every method beside the model.

    ``error`` is the mean VRMSE over pairs and the fields that count; the methods' own numbers stand under their names.
    A number without meaning (the correlation of a constant) is None.
    """
    summary = {
        "definition": ERROR,
        "counted_fields": sorted(f.name for f in result.system.counted),
        "pairs": len(result.pairs),
        "trajectories": result.trajectories,
        **_errors(result),
        "unit": _unit(result),
        "definitions": DEFINITIONS,
        "methods": list(result.methods),
        "stochastic": result.stochastic,
        "model_frames": MEMBER if result.stochastic else ONLY,
        "sampler_steps": result.steps,
        **{method: _overall(result, method) for method in result.methods},
        "fields": {f.name: _field(result, k) for k, f in enumerate(result.system.fields)},
        "by_frame": _by_frame(result),
        "extremes": _extremes(result),
        "refused": {
            "pairs": sum(bool(pair.refused) for pair in result.pairs),
            "by": result.refusals(),
        },
        "notes": list(result.notes),
    }
    if result.rollout is not None:
        summary["rollout"] = _rollout(result)
    if result.ensemble is not None:
        summary["ensemble"] = _ensemble(result)
    plain: Summary = _plain(summary)
    return plain


def _errors(result: Result) -> Summary:
    """The numbers that manifests have had from the first version on."""
    model, still = (_means(result.column(m, "vrmse")) for m in (MODEL, PERSISTENCE))
    per_pair = result.errors()
    ratios = {
        result.system.fields[k].name: float(model[k] / still[k]) if still[k] > 0 else math.inf
        for k in result.counted
    }
    error, persistence = (float(np.mean(e[result.counted])) for e in (model, still))
    return {
        "error": error,
        "error_std_over_pairs": float(np.nanstd(per_pair)),
        "error_worst_pair": float(np.nanmax(per_pair)),
        "persistence_error": persistence,
        "error_over_persistence": error / persistence if persistence > 0 else math.inf,
        "worst_field_over_persistence": max(ratios.values()),
        "worst_field": max(ratios, key=lambda name: ratios[name]),
    }


def _unit(result: Result) -> str:
    counted = result.system.counted
    if len(counted) == 1:
        return counted[0].unit
    return "std of each field over the training data (of a curl: over the evaluated frames); means over counted fields"


def _overall(result: Result, method: str) -> Summary:
    """Means over pairs, then over counted fields, by metric; and of how many pairs."""
    scores = result.scores[method][:, result.counted]  # (pairs, counted, metrics)
    if len(result.counted) > 1:
        scales = np.array([result.scale[f.name] for f in result.system.counted])[:, None]
        powers = np.array([DIMENSIONS.get(name, 0) for name in METRICS])
        scores = scores / scales**powers
    means = _means(_means(scores))
    known = int(np.isfinite(result.column(method, "rmse")).all(1).sum())
    return {**dict(zip(METRICS, means.tolist(), strict=True)), "pairs": known}


def _field(result: Result, k: int) -> Summary:
    field = result.system.fields[k]
    rows = {
        method: dict(zip(METRICS, _means(scores[:, k]).tolist(), strict=True))
        for method, scores in result.scores.items()
    }
    error, still = (rows[method]["vrmse"] for method in (MODEL, PERSISTENCE))
    methods: Summary = {"methods": rows}
    return {
        "unit": field.unit,
        "error": error,
        "persistence": still,
        "ratio": error / still if still > 0 else math.inf,
        "error_90_percent": float(np.nanquantile(result.column(MODEL, "vrmse")[:, k], 0.9)),
        **methods,
    }


def _by_frame(result: Result) -> dict[str, float]:
    """Mean error by the number of the first frame: pairs late in a trajectory may be harder."""
    errors, frames = result.errors(), np.array([pair.frame for pair in result.pairs])
    return {
        str(n): float(_means(errors[frames == n][:, None])[0]) for n in sorted(set(frames.tolist()))
    }


def _extremes(result: Result) -> Summary:
    """The best, the median and the worst pair."""
    errors = result.errors()
    return {
        name: {
            "pair": row,
            "run": result.pairs[row].run,
            "file": result.pairs[row].file,
            "frame": result.pairs[row].frame,
            "time": result.pairs[row].time,
            "error": float(errors[row]),
        }
        for name, row in result.extremes().items()
    }


def _rollout(result: Result) -> Summary:
    rollout = result.rollout
    assert rollout is not None
    windows, jumps, _ = rollout.curves[MODEL].shape
    return {
        "windows": windows,
        "jumps": jumps,
        "times": rollout.times.tolist(),
        **{
            method: {
                "vrmse": rollout.median(method, "vrmse").tolist(),
                "correlation": rollout.median(method, "correlation").tolist(),
                "time_to_correlation_0.8": rollout.correlated(method),
            }
            for method in rollout.curves
        },
    }


def _ensemble(result: Result) -> Summary:
    """By field, and ``all``: means over the counted fields, each in its scale where there are several."""
    ensemble = result.ensemble
    assert ensemble is not None
    means = {
        name: _means(ensemble.scores[:, k]) for k, name in enumerate(result.system.names)
    }  # (columns,) each
    counted = result.system.counted
    powers = np.array(list(COLUMNS.values()))
    scales = [result.scale[f.name] if len(counted) > 1 else 1.0 for f in counted]
    overall = [means[f.name] / scale**powers for f, scale in zip(counted, scales, strict=True)]
    member = float(np.median(ensemble.seconds)) if ensemble.seconds else None
    single = float(np.median(result.seconds)) if result.seconds else None
    return {
        "members": ensemble.members,
        "all": dict(zip(COLUMNS, _means(np.array(overall)).tolist(), strict=True)),
        "seconds": {
            "member": member,
            "single": single,
            "ratio": member / single if member and single else None,
        },
        "fields": {
            name: {
                **dict(zip(COLUMNS, means[name].tolist(), strict=True)),
                "rank_histogram": ensemble.ranks[name].tolist(),
            }
            for name in result.system.names
        },
    }


def _means(values: Array) -> Array:
    """Means over the first axis of the numbers that are there; NaN where none is."""
    known = np.isfinite(values)
    count = known.sum(0)
    total = np.where(known, values, 0.0).sum(0)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _plain(value: Any) -> Any:
    """Numbers that JSON does not know become None."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
