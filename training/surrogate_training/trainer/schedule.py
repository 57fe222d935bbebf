"""How the learning rate goes."""

from __future__ import annotations

import math

from surrogate_training.config import Optimiser


def learning_rate(step: int, config: Optimiser, *, peak: float | None = None) -> float:
    """Rate of step ``step``: linear warm-up, constant until ``hold``, then the schedule down to the last step.

    Parameters
    ----------
    step : int
        0, 1, …
    config : Optimiser
        Section of the recipe.
    peak : float, optional
        The largest rate, where a network has one of its own; default: ``config.learning_rate``.
    """
    peak = config.learning_rate if peak is None else peak
    if step < config.warmup:
        return peak * (step + 1) / config.warmup
    if config.schedule == "constant":
        return peak
    start = max(config.warmup, config.hold)
    done = min(max(0, step - start) / max(1, config.steps - start), 1.0)
    left = 1 - done if config.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    low = min(config.final_learning_rate, peak)
    return low + (peak - low) * left
