"""A picture of a search: the history of its trials, and the value over each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surrogate_training.tune.objective import Objective
from surrogate_training.tune.results import Result, text
from surrogate_training.tune.space import Parameter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
MARGIN = 0.05  # of a range, left and right of it
STYLES = {"complete": ("o", "C0"), "pruned": ("x", "C7")}


def draw_search(results: list[Result], objective: Objective, path: Path) -> None:
    """Draw all trials that have a value; those that were pruned, by their last validation, as crosses."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    space = objective.space.space
    rows = -(-(1 + len(space)) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    _history(axes[0], results, largest=objective.largest)
    for axis, (key, parameter) in zip(axes[1:], space.items(), strict=False):
        _slice(axis, key, parameter, results)
    for axis in axes[: 1 + len(space)]:
        axis.set_ylabel(f"validation {objective.metric}")
        axis.grid(alpha=0.3)
    for axis in axes[1 + len(space) :]:
        axis.set_axis_off()
    figure.savefig(path, dpi=100)


def _history(axis: Axes, results: list[Result], *, largest: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    places = list(range(len(results)))
    for state in STYLES:
        _scatter(axis, state, places, results)
    complete = [n for n in places if results[n].state == "complete"]
    if complete:
        values = np.asarray([_value(results[n]) for n in complete])
        running = (np.maximum if largest else np.minimum).accumulate(values)
        ends = ([*complete, len(results) - 1], [*running, running[-1]])
        axis.step(*ends, where="post", c="C1", label="best so far")
    axis.set_xlabel("trial")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(fontsize="small")


def _slice(axis: Axes, key: str, parameter: Parameter, results: list[Result]) -> None:
    drawn = [r for r in results if key in r.values]
    places = [_place(parameter, r.values[key]) for r in drawn]
    for state in STYLES:
        _scatter(axis, state, places, drawn)
    if parameter.log is not None:
        axis.set_xscale("log")
        low, high = parameter.log
        axis.set_xlim(low * (low / high) ** MARGIN, high * (high / low) ** MARGIN)
    if parameter.choice is not None:
        axis.set_xticks(range(len(parameter.labels)), [label[:24] for label in parameter.labels])
        axis.set_xlim(-0.5, len(parameter.labels) - 0.5)
    axis.set_xlabel(key)


def _scatter(axis: Axes, state: str, places: Sequence[float], results: list[Result]) -> None:
    """The trials of one state that have a value."""
    found = [
        (x, _value(r))
        for x, r in zip(places, results, strict=True)
        if r.state == state and r.value is not None
    ]
    marker, colour = STYLES[state]
    axis.scatter([x for x, _ in found], [y for _, y in found], marker=marker, c=colour, label=state)


def _value(result: Result) -> float:
    return np.nan if result.value is None else result.value


def _place(parameter: Parameter, value: object) -> float:
    """Where a value stands on its axis; choices side by side."""
    if parameter.choice is not None:
        return float(parameter.labels.index(text(value)))
    return float(value)  # type: ignore[arg-type]
