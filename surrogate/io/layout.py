"""A mapping: where a file of any layout keeps its fields, times, axes and parameters.

Written in YAML, for instance for a map of a star's magnetic field over colatitude and longitude, one file a time::

    fields:
      br: {dataset: Data, axes: [colatitude, longitude], unit: G}
    coordinates: {colatitude: dim2, longitude: dim1}

and for a solver that writes B as one array, components last, with x before y, and its times as an attribute::

    fields:
      rho: {dataset: fluid/density, axes: [time, x, y], fill: -9999}
      b: {dataset: fluid/B, axes: [time, x, y, component]}
    spatial: [y, x]                              # slowest first, as the program takes it
    time: {dataset: fluid/t, unit: s}            # or {attribute: t}, or {start: 0, step: 0.1}
    spacing: {x: 0.1, y: 0.1}
    parameters: {gamma: {attribute: gamma}, eta: 0.01}

Axes called ``time``, ``trajectory`` and ``component`` have that meaning, all others are space.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from surrogate.errors import ArgumentError, CorruptError, FieldError, NotFoundError
from surrogate.io.arrays import Array, ArrayFrames, Source, missing, reading, split_component
from surrogate.io.optional import need
from surrogate.io.zarr import open_group


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedField(_Part):
    """One field.

    Attributes
    ----------
    dataset : str
        Path of its array, or name of the field in a format that describes itself; empty: the field's own name.
    axes : tuple of str
        A name an axis, as stored.
    unit : str
        Unit; empty: the dataset's attribute ``units``.
    select : dict of str to int
        Axes that are not read whole, and the index that is.
    fill : float, optional
        Value that stands for missing data and becomes NaN.
    """

    dataset: str = ""
    axes: tuple[str, ...] = ()
    unit: str = ""
    select: dict[str, int] = Field(default_factory=dict)
    fill: float | None = None


class Place(_Part):
    """Where a number, or a number a frame, is: a dataset or an attribute (``DATASET@NAME`` or of the file)."""

    dataset: str = ""
    attribute: str = ""


class MappedTime(Place):
    """Where times are, or their start and step."""

    start: float = 0.0
    step: float = 1.0
    unit: str = "1"


class Layout(_Part):
    """A mapping; see the module."""

    fields: dict[str, MappedField]
    spatial: tuple[str, ...] = ()
    time: MappedTime = MappedTime()
    coordinates: dict[str, str] = Field(default_factory=dict)
    spacing: dict[str, float] = Field(default_factory=dict)
    parameters: dict[str, float | Place] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _some(self) -> Layout:
        if not self.fields:
            raise ValueError("fields is empty: name at least one")
        known = set(self.spatial) | {axis for f in self.fields.values() for axis in f.axes}
        unknown = sorted((set(self.coordinates) | set(self.spacing)) - known)
        if unknown:
            raise ValueError(f"no field has an axis {unknown[0]!r}; there are {sorted(known)}")
        return self


_SECTIONS: dict[str, type[BaseModel]] = {
    "fields": MappedField,
    "time": MappedTime,
    "parameters": Place,
}


def load_layout(path: str | os.PathLike[str]) -> Layout:
    """Read a mapping from YAML.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ArgumentError
        If it is no valid mapping; an unknown key names the nearest valid one.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(f"mapping {path}: no such file")
    yaml = need("yaml", extra="io", what=f"mapping {path}: YAML")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Layout.model_validate(tree)
    except yaml.YAMLError as error:
        raise ArgumentError(f"mapping {path} is not valid YAML: {error}") from error
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors(include_url=False)]
        raise ArgumentError(f"mapping {path}: {'; '.join(lines)}") from error


def open_by_layout(path: str | os.PathLike[str], layout: Layout, *, kind: str) -> ArrayFrames:
    """Open an HDF5 file or a Zarr store by a mapping.

    Raises
    ------
    FieldError
        If a dataset or attribute is not there; the nearest name is told.
    ShapeError
        If axes do not fit.
    """
    path = Path(path)
    root, close = _open(path, kind)
    try:
        return _mapped(path, root, layout, close)
    except BaseException:
        close()
        raise


def renamed(frames: ArrayFrames, layout: Layout) -> ArrayFrames:
    """A file that describes itself, with the mapping's fields alone, under its names and units.

    Raises
    ------
    FieldError
        If a field is not there.
    """
    chosen = {}
    for name, field in layout.fields.items():
        source = frames.source(field.dataset or name)
        unit, fill = field.unit or source.unit, source.fill if field.fill is None else field.fill
        chosen[name] = Source(source.values, source.axes, unit, source.select, fill)
    frames.choose(chosen)
    return frames


def _open(path: Path, kind: str) -> tuple[Any, Any]:
    if kind == "zarr":
        return open_group(path), lambda: None
    h5py = need("h5py", extra="io", what=f"{path}: HDF5")
    with reading(path):
        file = h5py.File(path, "r")
    return file, file.close


def _mapped(path: Path, root: Any, layout: Layout, close: Any) -> ArrayFrames:
    sources = {
        name: _source(path, root, name, field, layout) for name, field in layout.fields.items()
    }
    spatial = layout.spatial or next(iter(sources.values())).spatial
    lengths = dict(zip(spatial, _cells(spatial, sources), strict=True))
    coordinates = {axis: _array(path, root, d) for axis, d in layout.coordinates.items()}
    coordinates |= {axis: step * np.arange(lengths[axis]) for axis, step in layout.spacing.items()}
    return ArrayFrames(
        path,
        sources,
        spatial=spatial,
        times=_times(path, root, layout, sources),
        time_unit=layout.time.unit,
        coordinates=coordinates,
        scalars={
            name: place if isinstance(place, float) else _value(path, root, place)
            for name, place in layout.parameters.items()
        },
        close=close,
    )


def _cells(spatial: tuple[str, ...], sources: Mapping[str, Source]) -> tuple[int, ...]:
    return tuple(max(source.length(axis) for source in sources.values()) for axis in spatial)


def _source(path: Path, root: Any, name: str, field: MappedField, layout: Layout) -> Source:
    base, component = split_component(field.dataset or name)
    values = _dataset(path, root, base)
    axes = field.axes or layout.spatial
    if not axes:
        raise ArgumentError(
            f"mapping of {path}: field {name!r} has no axes; say what the {len(values.shape)} axes of {base} are, for "
            "instance axes: [time, y, x]"
        )
    unit = field.unit or str(values.attrs.get("units", "1"))
    source = Source(values, tuple(axes), unit, field.select, field.fill)
    source = source if component is None else source.at(component)
    for axis, index in source.select.items():
        if axis not in axes:
            raise ArgumentError(
                f"mapping of {path}: field {name!r} has no axis {axis!r}; its axes are {', '.join(axes)}"
            )
        length = values.shape[axes.index(axis)] if len(axes) == len(values.shape) else index + 1
        if not 0 <= index < length:
            raise ArgumentError(
                f"mapping of {path}: {axis} {index} of field {name!r}; {base} has {length}, from 0"
            )
    return source


def _times(path: Path, root: Any, layout: Layout, sources: Mapping[str, Source]) -> Array | None:
    time = layout.time
    if time.dataset or time.attribute:
        return np.atleast_1d(np.asarray(_value(path, root, time), np.float64))
    frames = max(source.length("time") for source in sources.values())
    return time.start + time.step * np.arange(frames)


def _value(path: Path, root: Any, place: Place) -> Any:
    """A number, or an array of them."""
    if place.dataset:
        values = _array(path, root, place.dataset)
        return values.reshape(()) if values.size == 1 else values
    where, _, name = place.attribute.rpartition("@")
    attributes = (_dataset(path, root, where) if where else root).attrs
    if name not in attributes:
        raise FieldError(missing(path, "attribute", name, list(attributes)))
    with reading(path, f"attribute {place.attribute}"):
        return np.asarray(attributes[name], np.float64)


def _array(path: Path, root: Any, name: str) -> Array:
    dataset = _dataset(path, root, name)
    with reading(path, name):
        return np.asarray(dataset[...], np.float64)


def _dataset(path: Path, root: Any, name: str) -> Any:
    found = root.get(name.strip("/"))
    if found is None or not hasattr(found, "shape"):
        raise FieldError(missing(path, "dataset", name.strip("/"), _walk(root)))
    if np.dtype(found.dtype).kind not in "biuf":
        raise CorruptError(f"{path}: {name} holds {found.dtype}; expected real numbers")
    return found


def _walk(group: Any, prefix: str = "") -> list[str]:
    """Paths of all datasets."""
    found = []
    for name in group:
        child = group[name]
        here = f"{prefix}{name}"
        found += [here] if hasattr(child, "shape") else _walk(child, f"{here}/")
    return found


def _explain(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] != "extra_forbidden":
        return f"{where or 'mapping'}: {item['msg']} (given {item['input']!r:.80})"
    section = str(item["loc"][0]) if len(item["loc"]) > 1 else ""
    owner = _SECTIONS.get(section, Layout)
    valid = sorted(owner.model_fields)
    near = difflib.get_close_matches(str(item["loc"][-1]), valid, n=1, cutoff=0.0)[0]
    return f"{where}: unknown key; did you mean {near!r}? Valid keys: {', '.join(valid)}"
