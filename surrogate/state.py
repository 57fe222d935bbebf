"""A state as the caller gave it: one array with a channel axis, or named arrays. Both talk to libsurrogate alike."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surrogate import _native
from surrogate.device import native_array, new_empty, new_zeros, stream_of
from surrogate.errors import ArgumentError, FieldError, ShapeError, UnitError
from surrogate.facts import FieldInfo
from surrogate.field import Array, View, view


@dataclass(frozen=True)
class Layout:
    """What a state must look like.

    Attributes
    ----------
    fields : tuple of FieldInfo
        Fields in the manifest's order.
    spatial_rank : int
        Number of spatial axes.
    """

    fields: tuple[FieldInfo, ...]
    spatial_rank: int

    @property
    def channels(self) -> int:
        """Components of all fields together."""
        return sum(field.components for field in self.fields)

    def axes(self, array: Array, label: str, *, single: bool) -> tuple[int, int]:
        """Component and batch axis, told by the number of axes; -1 where there is none."""
        extra = array.ndim - self.spatial_rank
        if extra == 0 and single:
            return -1, -1
        if extra in (1, 2):
            return extra - 1, extra - 2
        names = ", ".join(("nz", "ny", "nx")[-self.spatial_rank :])
        plain = f"({names}), " if single else ""
        raise ShapeError(
            f"{label} has shape {array.shape}; expected {plain}(components, {names}) or (batch, components, {names})"
        )

    def check_names(self, given: Mapping[str, Any], label: str, *, predicted_only: bool) -> None:
        """Raise FieldError unless the fields are there, and no others."""
        known = [field.name for field in self.fields]
        needed = [field.name for field in self.fields if field.predicted or not predicted_only]
        missing = [name for name in needed if name not in given]
        unknown = [str(name) for name in given if name not in known]
        if missing or unknown:
            near = difflib.get_close_matches(unknown[0], known, n=1) if unknown else []
            parts = [f"{', '.join(missing)} missing"] if missing else []
            parts += [f"{', '.join(unknown)} unknown"] if unknown else []
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise FieldError(
                f"{label} has fields {list(given)}; expected {needed}: {', '.join(parts)}{hint}"
            )

    def condition_slices(self) -> list[slice]:
        """Channels that are read and never predicted."""
        result, first = [], 0
        for field in self.fields:
            if not field.predicted:
                result.append(slice(first, first + field.components))
            first += field.components
        return result


class ArrayState:
    """The short form: one array (C, ny, nx) or (B, C, ny, nx), channels in the manifest's order."""

    def __init__(self, value: Any, layout: Layout, units: Mapping[str, str] | None) -> None:
        if units:
            raise ArgumentError(
                "units= names fields; with one array for the whole state give a dict of fields instead"
            )
        known = {field.unit for field in layout.fields}
        self.layout = layout
        self.view: View = view(value, "the state", known.pop() if len(known) == 1 else None)
        self.channel_axis, self.batch_axis = layout.axes(
            self.view.array, "the state", single=layout.channels == 1
        )

    @property
    def current(self) -> Array:
        """The state itself."""
        return self.view.array

    @property
    def batch(self) -> int:
        """Number of states."""
        return 1 if self.batch_axis < 0 else int(self.view.array.shape[self.batch_axis])

    @property
    def stream(self) -> int:
        """The stream that the state's arrays are made on (:func:`surrogate.device.stream_of`)."""
        return stream_of(self.view.array)

    def empty(self, *lead: int) -> Array:
        """New frames behind the axes `lead`; channels that are not predicted are copied from the state."""
        source = self.view.array
        result: Array = new_empty((*lead, *source.shape), source)
        self.carry(result, source)
        return result

    def blank(self) -> Array:
        """A new frame of zeros."""
        zeros: Array = new_zeros(self.view.array.shape, self.view.array)
        return zeros

    def empty_members(self, count: int) -> Array:
        """New frames (count, C, ...), or (B, count, C, ...) for a batch; all hold the state."""
        source, lead = self.view.array, self.batch_axis + 1  # behind the batch axis
        frames: Array = new_empty((*source.shape[:lead], count, *source.shape[lead:]), source)
        frames[...] = source[(slice(None),) * lead + (None,)]
        return frames

    def target(self, out: Any) -> Array:
        """The array behind `out`, to be written in place."""
        known = {field.unit for field in self.layout.fields}
        return _writable(view(out, "out", known.pop() if len(known) == 1 else None), "out")

    def reads(self, current: Array) -> _native.Part:
        """`current`, like the state, as input."""
        return native_array(current), self.channel_axis, self.batch_axis

    def writes(self, output: Array) -> _native.Part:
        """`output`, like the state, as output."""
        return native_array(output), self.channel_axis, self.batch_axis

    def writes_many(self, frames: Array) -> _native.Part:
        """`frames`, several behind one another, as output: their axis and the batch become one."""
        if self.batch_axis >= 0:
            merged = frames.reshape(-1, *frames.shape[2:])  # (n * B, C, ...)
            return native_array(merged), self.channel_axis, 0
        return native_array(frames), self.channel_axis + 1 if self.channel_axis >= 0 else -1, 0

    def frame(self, frames: Array, index: int | slice) -> Array:
        """One or some of several frames."""
        result: Array = frames[index]
        return result

    def carry(self, frame: Array, latest: Array) -> None:
        """Let the channels that are not predicted stay those of `latest`."""
        for part in self.layout.condition_slices():
            index = (..., part) + (slice(None),) * self.layout.spatial_rank
            frame[index] = latest[index]

    def store(self, frame: Array, value: Any) -> None:
        """Copy a state of the caller's kind."""
        frame[...] = ArrayState(value, self.layout, None).current

    def wrap(self, result: Array) -> Any:
        """The caller's kind of array."""
        return self.view.wrap(result)


class NamedState:
    """Named arrays: (ny, nx), (components, ny, nx) or (B, components, ny, nx) each."""

    def __init__(
        self, value: Mapping[str, Any], layout: Layout, units: Mapping[str, str] | None
    ) -> None:
        layout.check_names(value, "the state", predicted_only=False)
        self.layout = layout
        self.units = dict(units or {})
        self.given = value
        for name in self.units:
            if name not in value:
                raise UnitError(
                    f"units names {name!r}, which is no field of the state; its fields are {list(value)}"
                )
        self.views = {
            name: view(array, f"field {name!r}", self._unit(name)) for name, array in value.items()
        }
        self.conditions = {field.name for field in layout.fields if not field.predicted}

    def _unit(self, name: str) -> str | None:
        return next((field.unit for field in self.layout.fields if field.name == name), None)

    @property
    def current(self) -> dict[str, Array]:
        """The state itself."""
        return {name: view.array for name, view in self.views.items()}

    @property
    def batch(self) -> int:
        """Number of states."""
        name, entry = next(iter(self.views.items()))
        batch_axis = self._axes(entry.array, name)[1]
        return 1 if batch_axis < 0 else int(entry.array.shape[batch_axis])

    @property
    def stream(self) -> int:
        """The stream that the state's arrays are made on (:func:`surrogate.device.stream_of`)."""
        streams = (stream_of(view.array) for view in self.views.values())
        return next((stream for stream in streams if stream), 0)

    def empty(self, *lead: int) -> dict[str, Array]:
        """New frames of the predicted fields behind the axes `lead`."""
        return {
            name: new_empty((*lead, *view.array.shape), view.array)
            for name, view in self.views.items()
            if name not in self.conditions
        }

    def blank(self) -> dict[str, Array]:
        """A new frame of the predicted fields."""
        return self.empty()

    def empty_members(self, count: int) -> dict[str, Array]:
        """New frames (count, ...), or (B, count, ...) for a batch, of the predicted fields."""
        frames = {}
        for name in self.empty():
            array = self.views[name].array
            lead = self._axes(array, name)[1] + 1  # behind the batch axis
            frames[name] = new_empty((*array.shape[:lead], count, *array.shape[lead:]), array)
        return frames

    def target(self, out: Any) -> dict[str, Array]:
        """The arrays behind `out`, to be written in place."""
        if not isinstance(out, Mapping):
            raise ArgumentError(
                f"out is of type {type(out).__name__}; expected a dict of arrays, as the state is one"
            )
        self.layout.check_names(out, "out", predicted_only=True)
        views = {
            name: view(array, f"out[{name!r}]", self._unit(name)) for name, array in out.items()
        }
        return {
            name: _writable(entry, f"out[{name!r}]")
            for name, entry in views.items()
            if name not in self.conditions
        }

    def reads(self, current: Mapping[str, Array]) -> _native.Part:
        """`current`, like the state, as input; fields that it lacks are those of the state."""
        return [
            self._entry(name, array, name) for name, array in {**self.current, **current}.items()
        ]

    def writes(self, output: Mapping[str, Array]) -> _native.Part:
        """`output`, like the state, as output; its condition fields are not wanted."""
        return self._with_conditions(
            [self._entry(name, array, f"out {name}") for name, array in output.items()]
        )

    def writes_many(self, frames: Mapping[str, Array]) -> _native.Part:
        """`frames`, several behind one another, as output: their axis and the batch become one."""
        entries: list[_native.Entry] = []
        for name, array in frames.items():
            component_axis, batch_axis = self._axes(self.views[name].array, name)
            if batch_axis >= 0:
                frames_of_field, axis = (
                    array.reshape(-1, *array.shape[2:]),
                    component_axis,
                )  # (n * B, c, ...)
            else:
                frames_of_field, axis = array, component_axis + 1 if component_axis >= 0 else -1
            entries.append((name, self.units.get(name), native_array(frames_of_field), axis, 0))
        return self._with_conditions(entries)

    def _with_conditions(self, entries: list[_native.Entry]) -> list[_native.Entry]:
        return entries + [
            (name, None, None, -1, -1) for name in self.current if name in self.conditions
        ]

    def _entry(self, name: str, array: Array, label: str) -> _native.Entry:
        component_axis, batch_axis = self._axes(array, label)
        return name, self.units.get(name), native_array(array), component_axis, batch_axis

    def _axes(self, array: Array, label: str) -> tuple[int, int]:
        return self.layout.axes(array, f"field {label!r}", single=True)

    def frame(self, frames: Mapping[str, Array], index: int | slice) -> dict[str, Array]:
        """One or some of several frames."""
        return {name: array[index] for name, array in frames.items()}

    def carry(self, frame: Mapping[str, Array], latest: Mapping[str, Array]) -> None:
        """Nothing: frames hold the predicted fields alone."""

    def store(self, frame: Mapping[str, Array], value: Mapping[str, Any]) -> None:
        """Copy a state of the caller's kinds."""
        current = NamedState(value, self.layout, None).current
        for name, array in frame.items():
            array[...] = current[name]

    def wrap(self, result: Mapping[str, Array]) -> dict[str, Any]:
        """A dict in the order that was given, each array of the caller's kind; condition fields pass through."""
        return {
            name: entry.wrap(result[name]) if name in result else self.given[name]
            for name, entry in self.views.items()
        }


State = ArrayState | NamedState


def state_of(value: Any, layout: Layout, units: Mapping[str, str] | None) -> State:
    """The state that the caller gave, in one of its two forms."""
    return (
        NamedState(value, layout, units)
        if isinstance(value, Mapping)
        else ArrayState(value, layout, units)
    )


def _writable(target: View, label: str) -> Array:
    if target.converted:
        raise UnitError(
            f"{label} is in another unit than the manifest's; an output is written in place: convert it first"
        )
    return target.array
