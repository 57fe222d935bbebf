"""What recordings of one process and of many ranks have in common: their options, and the fields of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from surrogate import _native
from surrogate.errors import ArgumentError, ShapeError
from surrogate.field import view

Boundary = Literal["periodic", "wall", "open"] | None
_BOUNDARIES = {None: 0, "periodic": 1, "wall": 2, "open": 3}
_PRECISIONS = {None: 0, "float32": 1, "float64": 2}


def recorder_options(
    spatial_rank: int,
    *,
    name: str | None = None,
    description: str | None = None,
    time_unit: str = "1",
    length_unit: str = "1",
    spacing: Sequence[float] | None = None,
    origin: Sequence[float] | None = None,
    boundary: Sequence[Boundary] | None = None,
    parameters: Mapping[str, float] | None = None,
    trajectory: int | None = None,
    seed: int | None = None,
    precision: Literal["float32", "float64"] | None = None,
    compression: int = 0,
    chunk: Sequence[int] | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """The options of libsurrogate; keywords and defaults are those of :class:`surrogate.Recorder`.

    Raises
    ------
    ArgumentError
        If one has the wrong length or is none of its choices.
    """
    if spatial_rank not in (1, 2, 3):
        raise ArgumentError(f"spatial_rank={spatial_rank}; expected 1, 2 or 3")
    axes = {"spacing": spacing, "origin": origin, "boundary": boundary, "chunk": chunk}
    for key, values in axes.items():
        if values is not None and len(values) != spatial_rank:
            raise ArgumentError(f"{key}={list(values)}; expected {spatial_rank} values")
    return {
        "name": name,
        "description": description,
        "time_unit": time_unit,
        "length_unit": length_unit,
        "spacing": spacing,
        "origin": origin,
        "boundary": [_choice("boundary", kind, _BOUNDARIES) for kind in boundary or ()],
        "parameter_names": list(parameters or {}),
        "parameter_values": [float(value) for value in (parameters or {}).values()],
        "trajectory": trajectory,
        "seed": seed,
        "precision": _choice("precision", precision, _PRECISIONS),
        "compression": compression,
        "chunk": chunk,
        "overwrite": overwrite,
    }


def entry(name: str, value: Any, unit: str | None, spatial_rank: int) -> _native.Entry:
    """One field of a frame: spatial axes, and in front of them nothing, components, or a batch and components."""
    array = view(value, f"field {name!r}", unit).array
    extra = array.ndim - spatial_rank
    if extra not in (0, 1, 2):
        raise ShapeError(
            f"field {name!r} has shape {array.shape}; expected {spatial_rank} spatial axes, and in front "
            "of them nothing, a component axis, or a batch and a component axis"
        )
    return name, unit, array, extra - 1 if extra else -1, 0 if extra == 2 else -1


def _choice(key: str, value: Any, known: Mapping[Any, int]) -> int:
    if value not in known:
        names = ", ".join(repr(name) for name in known)
        raise ArgumentError(f"{key}: {value!r}; expected one of {names}")
    return known[value]
