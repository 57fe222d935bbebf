"""One prediction as pictures: t1 | true t2 | predicted t2 | error, a row a field, scales shared within a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surrogate_training.report.style import new_figure, scale_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.floating]
TITLES = ("t1", "true t2", "predicted t2", "error, same span")


def draw(
    rows: Mapping[str, tuple[Array, Array, Array]],
    path: Path,
    *,
    title: str,
    units: Mapping[str, str] | None = None,
    softening: Mapping[str, float] | None = None,
) -> None:
    """Write a PNG; arguments as of :func:`collage`."""
    collage(rows, title=title, units=units, softening=softening).savefig(path, dpi=80)


def collage(
    rows: Mapping[str, tuple[Array, Array, Array]],
    *,
    title: str,
    units: Mapping[str, str] | None = None,
    softening: Mapping[str, float] | None = None,
) -> Figure:
    """Draw fields.

    Parameters
    ----------
    rows : mapping of str to (ndarray, ndarray, ndarray), shape (ny, nx) each
        By name of the field: at t1, at t2, and predicted for t2. NaN, where data is missing, stays blank.
    title : str
    units : mapping of str to str, optional
        By name of the field.
    softening : mapping of str to float, optional
        Fields whose colours are linear below this value and logarithmic above it, as the net sees them.
    """
    figure = new_figure(11.5, 0.6 + 2.5 * len(rows))
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.02, 0.0, 0.98, 1.0))  # the names of rows stand outside what it arranges
    axes = figure.subplots(len(rows), 4, squeeze=False)
    for line, (name, fields) in zip(axes, rows.items(), strict=True):
        _draw_row(
            figure,
            line,
            name,
            fields,
            (units or {}).get(name, "1"),
            (softening or {}).get(name, 0.0),
        )
    for axis, label in zip(axes[0], TITLES, strict=True):
        axis.set_title(label)
    figure.suptitle(title)
    return figure


def _draw_row(
    figure: Figure,
    line: Any,
    name: str,
    fields: tuple[Array, Array, Array],
    unit: str,
    softening: float,
) -> None:
    u1, u2, predicted = fields
    scale = scale_of(u1, u2, softening=softening)
    for axis, u in zip(line[:3], fields, strict=True):
        shown = axis.imshow(u, origin="lower", **scale.colours)
    bar: dict[str, Any] = {"shrink": 0.9, "label": "" if unit == "1" else unit, "format": "{x:g}"}
    figure.colorbar(shown, ax=list(line[:3]), ticks=scale.ticks, **bar)
    error = predicted - u2
    shown = line[3].imshow(error, origin="lower", **scale.error.colours)
    figure.colorbar(shown, ax=line[3], ticks=scale.error.ticks, **bar)
    line[0].set_ylabel(name)
    if softening:
        line[0].set_xlabel(f"colours: linear to ±{softening:g}, then logarithmic", fontsize=8)
    deviation = np.nanstd(u2)
    root = float(np.sqrt(np.nanmean(np.square(error))))
    relative = f", {100 * root / deviation:.1f} % of std" if deviation > 0 else ""
    line[3].set_xlabel(f"rms {root:.3g}{relative}", fontsize=8)
    for axis in line:
        axis.set_xticks([])
        axis.set_yticks([])
