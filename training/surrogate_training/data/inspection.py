"""What a file of frames holds: names, shapes, types, units, ranges, missing values, times. Read in parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surrogate.io.frames import Frames, open_frames
from surrogate.io.layout import Layout
from surrogate.io.well import pieces

# Steps in time that differ by less than this share are equal.
REGULAR = 1e-6


@dataclass(frozen=True)
class FieldReport:
    """Of one field; minimum, maximum, mean and std are of its finite values, None if there are none.

    ``nan`` and ``infinite`` are shares of all values.
    """

    components: int
    dtype: str
    unit: str
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    nan: float
    infinite: float


@dataclass(frozen=True)
class TimeReport:
    """Of the times of all trajectories; steps are None if there is one frame."""

    unit: str
    first: float
    last: float
    smallest_step: float | None
    largest_step: float | None
    regular: bool


@dataclass(frozen=True)
class Report:
    """Of one file."""

    path: Path
    trajectories: int
    frames: int
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    time: TimeReport
    fields: dict[str, FieldReport]
    constants: dict[str, float]


def inspect_file(path: Path, *, mapping: Layout | Path | None = None) -> Report:
    """Read a file once, in parts.

    Raises
    ------
    SurrogateError
        If it cannot be read.
    """
    with open_frames(path, mapping=mapping) as stored:
        return Report(
            path,
            stored.trajectories,
            stored.frames,
            stored.axes,
            stored.shape,
            stored.spacing,
            _times(stored),
            {name: _field(stored, name) for name in stored.names},
            stored.constants,
        )


def _times(stored: Frames) -> TimeReport:
    times = np.stack([stored.times(k) for k in range(stored.trajectories)])
    steps = np.diff(times, axis=1)
    return TimeReport(
        stored.time_unit,
        float(times.min()),
        float(times.max()),
        float(steps.min()) if steps.size else None,
        float(steps.max()) if steps.size else None,
        regular=not steps.size or bool(np.ptp(steps) <= REGULAR * abs(steps.max())),
    )


def _field(stored: Frames, name: str) -> FieldReport:
    total = count = nan = 0
    mean = square = 0.0  # of finite values; combined part by part (Chan, Golub & LeVeque 1983)
    low, high = np.inf, -np.inf
    for _, _, values in pieces(stored, name):
        finite = values[np.isfinite(values)].astype(np.float64)
        total += values.size
        nan += int(np.isnan(values).sum())
        if not finite.size:
            continue
        low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        away = float(finite.mean()) - mean
        every = count + finite.size
        square += float(((finite - finite.mean()) ** 2).sum())
        square += away**2 * count * finite.size / every
        mean += away * finite.size / every
        count = every
    return FieldReport(
        stored.components(name),
        str(stored.dtype(name)),
        stored.unit(name),
        low if count else None,
        high if count else None,
        mean if count else None,
        float(np.sqrt(square / count)) if count else None,
        nan / total,
        (total - count - nan) / total,
    )
