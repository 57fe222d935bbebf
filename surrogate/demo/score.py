"""How wrong a frame is: relative to each field's own standard deviation at t2, and to persistence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogate.demo.frames import Frame


def field_errors(predicted: Frame, truth: Frame) -> dict[str, float]:
    """RMS of the difference over the standard deviation of the truth, for each scored field."""
    p, t = predicted.scored(), truth.scored()
    return {name: float(np.sqrt(np.mean((p[name] - t[name]) ** 2)) / np.std(t[name])) for name in t}


def mean_error(errors: Mapping[str, float]) -> float:
    """Mean over the fields: the one number."""
    return float(np.mean(list(errors.values())))


def worst_over(errors: Mapping[str, float], reference: Mapping[str, float]) -> tuple[str, float]:
    """The field whose error is largest in units of `reference`'s, and that ratio."""
    ratios = {name: errors[name] / reference[name] for name in errors}
    name = max(ratios, key=lambda key: ratios[key])
    return name, ratios[name]
