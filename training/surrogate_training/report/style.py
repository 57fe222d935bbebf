"""What the figures share: their canvas, the colours and names of methods, the scales of fields."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELS = {
    "truth": "truth",
    "model": "model",
    "persistence": "persistence",
    "linear_extrapolation": "linear extrapolation",
    "mean": "training mean",
    "coarse": "coarse solver",
    "reconstruction": "autoencoder alone",
}
# Okabe & Ito's palette: told apart by colour-blind readers too
COLOURS = {
    "truth": "#000000",
    "model": "#0072B2",
    "persistence": "#E69F00",
    "linear_extrapolation": "#009E73",
    "mean": "#999999",
    "coarse": "#D55E00",
    "reconstruction": "#CC79A7",
}
SIGNED_SHARE = 0.2
"""A field is signed if its smaller side reaches this share of the larger."""


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes
    ----------
    low, high : float
        Ends of the colour bar.
    diverging : bool
        Symmetric about 0, for fields of both signs.
    softening : float
        Linear below it, logarithmic above (asinh); 0: linear everywhere.
    """

    low: float
    high: float
    diverging: bool
    softening: float = 0.0

    @property
    def colours(self) -> dict[str, Any]:
        """Arguments of ``imshow``."""
        from matplotlib.colors import AsinhNorm, Normalize

        norm: Normalize = Normalize(self.low, self.high)
        if self.softening:
            norm = AsinhNorm(self.softening, self.low, self.high)
        return {"norm": norm, "cmap": "RdBu_r" if self.diverging else "viridis"}

    @property
    def ticks(self) -> list[float] | None:
        """Numbers at the colour bar; None: as matplotlib finds good."""
        if not self.softening:
            return None
        steps = [self.softening * 10.0**k for k in range(9)]
        sides = [0.0, *(sign * step for step in steps for sign in (-1, 1))]
        return sorted(tick for tick in sides if self.low <= tick <= self.high)

    @property
    def error(self) -> Scale:
        """Of errors: as wide as this scale, so that a colour's step means the same number."""
        half = self.high if self.diverging else 0.5 * (self.high - self.low)
        return Scale(-half, half, True, self.softening)


def label(method: str) -> str:
    """A method's name for people."""
    return LABELS.get(method, method.replace("_", " "))


def colour(method: str) -> str:
    """A method's colour; one for all that are not known here."""
    return COLOURS.get(method, "#CC79A7")


def scale_of(*fields: NDArray[np.floating], softening: float = 0.0) -> Scale:
    """The scale that all these share; NaN is ignored."""
    low = float(min(np.nanmin(u) for u in fields))
    high = float(max(np.nanmax(u) for u in fields))
    size = max(abs(low), abs(high))
    share = 0.0 if softening else SIGNED_SHARE  # what is scaled by asinh has both signs
    if low < 0 < high and min(-low, high) >= share * size:
        return Scale(-size, size, True, softening)
    return Scale(low, high if high > low else low + 1.0, False, softening)


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, without the state of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure, *, dpi: int = 100) -> bytes:
    """A figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def with_unit(name: str, unit: str) -> str:
    """A label: the unit in brackets, unless it is that of pure numbers."""
    return name if unit in ("", "1") else f"{name} [{unit}]"


def grid_figure(count: int) -> Figure:
    """A figure for so many panels, three in a row; a single one is wider than it is high."""
    return new_figure(max(6.0, 3.85 * min(count, 3)), 3.2 * -(-count // 3))


def panels(figure: Figure, count: int, *, columns: int = 3) -> list[Any]:
    """``count`` axes in rows of up to ``columns``."""
    across = min(count, columns)
    axes = figure.subplots(-(-count // across), across, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.remove()
    return list(axes[:count])
