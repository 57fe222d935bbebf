"""Frames out of arrays with named axes, whatever file the arrays lie in: what most readers are made of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.closing import Closing
from surrogate.errors import ArgumentError, CorruptError, FieldError, ShapeError, SurrogateError

Array = NDArray[Any]
TIME, TRAJECTORY, COMPONENT = "time", "trajectory", "component"
_COMPONENT = re.compile(r"^(?P<name>.+)\[(?P<index>\d+)\]$")


@dataclass(frozen=True)
class Source:
    """One field's array.

    Attributes
    ----------
    values : array-like
        Anything with ``shape``, ``dtype`` and slicing by a tuple, which reads no more than it is asked for.
    axes : tuple of str
        A name an axis of `values`: ``time``, ``trajectory``, ``component``, and the spatial ones.
    unit : str
        Unit of the values.
    select : mapping of str to int
        Axes that are fixed at an index.
    fill : float, optional
        Value that stands for missing data.
    """

    values: Any
    axes: tuple[str, ...]
    unit: str = "1"
    select: Mapping[str, int] = field(default_factory=dict)
    fill: float | None = None

    def length(self, axis: str, absent: int = 1) -> int:
        """Length of an axis."""
        if axis not in self.axes or axis in self.select:
            return absent
        return int(self.values.shape[self.axes.index(axis)])

    @property
    def spatial(self) -> tuple[str, ...]:
        """Spatial axes, in the order of storage."""
        others = {TIME, TRAJECTORY, COMPONENT, *self.select}
        return tuple(axis for axis in self.axes if axis not in others)

    def at(self, component: int) -> Source:
        """One component alone."""
        chosen = {**self.select, COMPONENT: component}
        return Source(self.values, self.axes, self.unit, chosen, self.fill)


class ArrayFrames(Closing):
    """A file of frames, given as one :class:`Source` a field; see :class:`surrogate.io.frames.Frames`.

    Parameters
    ----------
    path : Path
        The file, for messages.
    sources : mapping of str to Source
        The fields.
    spatial : sequence of str, optional
        Spatial axes, slowest first; default: as the first field is stored.
    times : ndarray, shape (frames,) or (trajectories, frames), optional
        Default: 0, 1, 2, …
    time_unit : str
        Their unit.
    coordinates : mapping of str to ndarray, shape (n,)
        Of the cells along a spatial axis; default: they count them.
    scalars : mapping of str to ndarray or float
        Scalar parameters, constant or a value a frame.
    aliases : mapping of str to Source
        Further names that :meth:`read` knows.
    close : callable, optional
        Closes the file.

    Raises
    ------
    ShapeError
        If fields differ in their cells or their number of frames.
    """

    def __init__(
        self,
        path: Path,
        sources: Mapping[str, Source],
        *,
        spatial: Iterable[str] = (),
        times: Array | None = None,
        time_unit: str = "1",
        coordinates: Mapping[str, Array] | None = None,
        scalars: Mapping[str, Any] | None = None,
        aliases: Mapping[str, Source] | None = None,
        close: Callable[[], object] | None = None,
    ) -> None:
        self.path, self._aliases, self._close = path, dict(aliases or {}), close
        self.axes = tuple(spatial) or next(iter(sources.values())).spatial
        self.choose(sources)
        self.shape: tuple[int, ...] = self._common(
            "cells", lambda s: tuple(s.length(a) for a in self.axes), sources.values()
        )
        self.frames = self._length(TIME)
        self.trajectories = self._length(TRAJECTORY)
        self.time_unit = time_unit
        self._coordinates = dict(coordinates or {})
        self._scalars = dict(scalars or {})
        self._times = (
            np.arange(self.frames, dtype=np.float64)
            if times is None
            else np.asarray(times, np.float64)
        )
        if self._times.shape[-1:] != (self.frames,):
            raise ShapeError(
                f"{path}: {self._times.shape} times for {self.frames} frames; expected one a frame"
            )

    def source(self, name: str) -> Source:
        """Where a field is; ``NAME[k]`` is one component of it.

        Raises
        ------
        FieldError
            If there is no such field or component.
        """
        base, component = split_component(name)
        base = base.strip("/")
        source = self._sources.get(base, self._aliases.get(base))
        if source is None:
            raise FieldError(missing(self.path, "field", base, self.names))
        if component is None:
            return source
        check_component(self.path, base, component, source.length(COMPONENT))
        return source.at(component) if COMPONENT in source.axes else source

    def choose(self, sources: Mapping[str, Source]) -> None:
        """Replace the fields, their names and units: by some of the same file.

        Raises
        ------
        ShapeError
            If their axes do not fit.
        """
        self._sources = dict(sources)
        self.names = tuple(sources)
        self._check_axes()

    def times(self, trajectory: int = 0) -> NDArray[np.float64]:
        """Times of the frames, shape (frames,)."""
        return self._times[trajectory] if self._times.ndim == 2 else self._times

    def unit(self, name: str) -> str:
        """Unit of a field; ``1`` if the file does not say."""
        return self.source(name).unit

    def coordinate(self, axis: str) -> NDArray[np.float64]:
        """Coordinates of the cells along an axis, shape (n,)."""
        found = self._coordinates.get(axis)
        if found is None:
            return np.arange(self.shape[self.axes.index(axis)], dtype=np.float64)
        return np.asarray(found, np.float64)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of cells, slowest axis first, from the first two; 1 of a single one."""
        return tuple(spacing_of(self.coordinate(axis)) for axis in self.axes)

    def components(self, name: str) -> int:
        """Number of components of a field."""
        return self.source(name).length(COMPONENT)

    def dtype(self, name: str) -> np.dtype[Any]:
        """Type of a field's values, as :meth:`read` returns them."""
        source = self.source(name)
        stored = np.dtype(source.values.dtype).newbyteorder("=")
        return stored if source.fill is None else np.result_type(stored, np.float32)

    @property
    def constants(self) -> dict[str, float]:
        """Scalar parameters that are constant in time."""
        return {k: float(v) for k, v in self._scalars.items() if np.ndim(v) == 0}

    def scalar(self, name: str) -> Array:
        """A scalar parameter, shape (frames,)."""
        if name not in self._scalars:
            raise FieldError(missing(self.path, "scalar", name, self._scalars))
        return np.broadcast_to(np.asarray(self._scalars[name], np.float64), (self.frames,))

    def read(self, name: str, start: int, stop: int, *, trajectory: int = 0) -> Array:
        """Frames `start` to `stop` of a field; see :meth:`surrogate.io.frames.Frames.read`."""
        source = self.source(name)
        if not 0 <= start <= stop <= self.frames:
            raise ArgumentError(
                f"{self.path}: frames {start} to {stop} of {name}; it holds {self.frames}"
            )
        whole = {TIME: slice(start, stop), TRAJECTORY: trajectory, **source.select}
        key = tuple(whole.get(axis, slice(None)) for axis in source.axes)
        with reading(self.path, name):
            values = np.asarray(source.values[key])
        kept = zip(source.axes, key, strict=True)
        axes = [axis for axis, index in kept if isinstance(index, slice)]
        order = [axis for axis in (TIME, COMPONENT, *self.axes) if axis in axes]
        values = values.transpose([axes.index(axis) for axis in order])
        if TIME not in axes:  # constant in time
            values = np.broadcast_to(values, (stop - start, *values.shape))
        if source.fill is not None:
            values = np.where(values == source.fill, np.nan, values.astype(self.dtype(name)))
        return native(values)

    def close(self) -> None:
        """Close the file."""
        if self._close is not None:
            self._close()

    def _check_axes(self) -> None:
        for name, source in self._sources.items():
            if len(source.axes) != len(source.values.shape):
                raise ShapeError(
                    f"{self.path}: {name} has {len(source.values.shape)} axes, shape {tuple(source.values.shape)}, "
                    f"but is said to have {len(source.axes)}: {', '.join(source.axes)}"
                )
            if set(source.spatial) != set(self.axes):
                raise ShapeError(
                    f"{self.path}: {name} has the spatial axes {', '.join(source.spatial)}; expected "
                    f"{', '.join(self.axes)}"
                )

    def _length(self, axis: str) -> int:
        """Length of the axis of time or of trajectories; 1 if no field has it."""
        having = [s for s in self._sources.values() if axis in s.axes and axis not in s.select]
        what = "frames" if axis == TIME else "trajectories"
        return int(self._common(what, lambda s: s.length(axis), having)) if having else 1

    def _common(self, what: str, of: Callable[[Source], Any], sources: Iterable[Source]) -> Any:
        """What all these fields must share."""
        first, *others = sources
        names = {id(source): name for name, source in self._sources.items()}
        for other in others:
            if of(other) != of(first):
                raise ShapeError(
                    f"{self.path}: {names[id(other)]} has {of(other)} {what}, but {names[id(first)]} has {of(first)}: "
                    "fields of one file share a grid; choose some by a mapping"
                )
        return of(first)


class reading:  # noqa: N801 - used as a statement: with reading(path, what)
    """Turns what a format's library raises into one :class:`CorruptError` that names the file."""

    def __init__(self, path: Path, what: str = "") -> None:
        self.what = f"{path}: {what} cannot be read" if what else f"{path}: cannot be read"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        ours = (SurrogateError, ImportError, MemoryError)
        if isinstance(error, Exception) and not isinstance(error, ours):
            first = str(error).strip().partition("\n")[0]
            raise CorruptError(
                f"{self.what} ({first}): damaged or truncated; copy or write it again"
            ) from error


def split_component(name: str) -> tuple[str, int | None]:
    """``v[1]`` as (``v``, 1), and ``v`` as (``v``, None)."""
    found = _COMPONENT.match(name)
    return (found["name"], int(found["index"])) if found else (name, None)


def check_component(path: Path, name: str, component: int, components: int) -> None:
    """Refuse a component that a field does not have.

    Raises
    ------
    FieldError
    """
    if component >= components:
        raise FieldError(
            f"{path}: {name}[{component}]; {name} has {components} component"
            f"{'s, from 0' if components > 1 else ''}"
        )


def missing(path: Path, kind: str, name: str, known: Iterable[str]) -> str:
    """What to say of a name that a file does not have: the nearest one, and all."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1)
    hint = next((f"; did you mean {n!r}?" for n in names if near and n.lower() == near[0]), "; it")
    listed = f"It has {', '.join(names)}" if near else f"has {', '.join(names) or 'none'}"
    return f"{path} has no {kind} {name!r}{hint} {listed}"


def spacing_of(coordinate: NDArray[np.float64]) -> float:
    """Distance of an axis' cells, from the first two; 1 of a single one."""
    return float(abs(coordinate[1] - coordinate[0])) if len(coordinate) > 1 else 1.0


def native(values: Array) -> Array:
    """In this machine's byte order."""
    return values.astype(values.dtype.newbyteorder("="), copy=False)
