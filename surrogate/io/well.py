"""Writing frames in The Well's layout (HDF5), which :class:`surrogate.io.hdf5.FrameFile` reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import ArgumentError, ShapeError, UnitError
from surrogate.io.arrays import Array
from surrogate.io.frames import Frames
from surrogate.io.units import same_unit
from surrogate.whole import written_whole

PIECE = 64 * 2**20  # bytes that are held at a time
Opener = Callable[[], Frames]


@dataclass(frozen=True)
class Joined:
    """Files whose frames follow one another in time: what they share, and their order.

    Attributes
    ----------
    openers : tuple of callable
        Open a file each, in the order of their times.
    frames : tuple of int
        Frames of each.
    times : ndarray, shape (trajectories, frames), float64
        Of all.
    scalars : dict of str to ndarray, shape () or (frames,)
        Constant in all files, or a value a frame.
    """

    openers: tuple[Opener, ...]
    frames: tuple[int, ...]
    times: Array
    scalars: dict[str, Array]


def join(openers: Sequence[Opener], fields: Sequence[str] = ()) -> Joined:
    """Put files in the order of their times.

    Raises
    ------
    ArgumentError
        If there is none, or two hold the same time.
    ShapeError, UnitError, FieldError
        If they differ in cells, trajectories or units, or one lacks a field.
    """
    if not openers:
        raise ArgumentError("no files were given")
    found: list[tuple[Array, dict[str, float], Opener, Path]] = []
    with openers[0]() as first:
        names = fields or first.names
        for opener in openers:
            with opener() as stored:
                _check_alike(stored, first, names)
                times = np.stack([stored.times(k) for k in range(stored.trajectories)])
                found.append((times, stored.constants, opener, stored.path))
    found.sort(key=lambda entry: float(entry[0][0, 0]))
    joined = np.concatenate([times for times, *_ in found], axis=1)
    late = np.argwhere(np.diff(joined, axis=1) <= 0)
    if len(late):
        ends = np.cumsum([times.shape[1] for times, *_ in found])
        which = int(np.searchsorted(ends, int(late[0, 1]) + 1, side="right"))
        raise ArgumentError(
            f"{found[which][3]} begins at {found[which][0][0, 0]:g}, which is not later than the file before; files "
            "that are joined follow one another in time. Write files of one time each to a folder of their own"
        )
    frames = tuple(times.shape[1] for times, *_ in found)
    return Joined(
        tuple(entry[2] for entry in found), frames, joined, _scalars([e[1] for e in found], frames)
    )


def write_well(
    path: str | os.PathLike[str],
    joined: Joined,
    *,
    fields: Sequence[str] = (),
    dtype: str | None = None,
) -> None:
    """Write the frames of one or several files as one; it gets its name when it is complete.

    Parameters
    ----------
    path : path
        File to write.
    joined : Joined
        The files; see :func:`join`.
    fields : sequence of str
        Which ones (``v[0]`` is written as ``v_0``); empty: all.
    dtype : str, optional
        ``float32`` or ``float64``; default: as stored.

    Raises
    ------
    NotFoundError
        If the folder does not exist.
    SurrogateError
        If a file cannot be read.
    """
    import h5py

    with written_whole(Path(path)) as partial, h5py.File(partial, "w") as file:
        with joined.openers[0]() as first:
            names = tuple(fields) or first.names
            targets = _prepare(file, first, joined, names, dtype)
        start = 0
        for opener, frames in zip(joined.openers, joined.frames, strict=True):
            with opener() as stored:
                _copy(stored, targets, start)
            start += frames


def pieces(stored: Frames, name: str) -> Iterator[tuple[int, slice, Array]]:
    """A field in parts of at most some MiB: trajectory, frames, values (frames, [components,] ny, nx)."""
    cells = int(np.prod(stored.shape)) * stored.components(name)
    step = max(1, PIECE // max(1, cells * stored.dtype(name).itemsize))
    for trajectory in range(stored.trajectories):
        for start in range(0, stored.frames, step):
            stop = min(start + step, stored.frames)
            values = stored.read(name, start, stop, trajectory=trajectory)
            yield trajectory, slice(start, stop), values


def _check_alike(stored: Frames, first: Frames, names: Sequence[str]) -> None:
    if (stored.shape, stored.trajectories) != (first.shape, first.trajectories):
        raise ShapeError(
            f"{stored.path} has {stored.shape} cells and {stored.trajectories} trajectories, but {first.path} has "
            f"{first.shape} and {first.trajectories}: files that are joined have one grid"
        )
    for name in names:
        if stored.components(name) != first.components(name):
            raise ShapeError(
                f"{stored.path}: {name} has {stored.components(name)} components, but {first.components(name)} in "
                f"{first.path}"
            )
        if not same_unit(stored.unit(name), first.unit(name)):
            raise UnitError(
                f"{stored.path}: {name} is in {stored.unit(name)!r}, but in {first.path} in {first.unit(name)!r}; "
                "convert one of them"
            )


def _scalars(found: list[dict[str, float]], frames: tuple[int, ...]) -> dict[str, Array]:
    shared = [name for name in found[0] if all(name in constants for constants in found)]
    result = {}
    for name in shared:
        values = np.array([constants[name] for constants in found])
        same = np.array_equal(values, np.full_like(values, values[0]), equal_nan=True)
        result[name] = values[0] if same else np.repeat(values, frames)
    return result


def _prepare(
    file: Any, first: Frames, joined: Joined, names: Sequence[str], dtype: str | None
) -> dict[str, Any]:
    """Everything but the frames; the dataset of every field."""
    constant = [name for name, value in joined.scalars.items() if np.ndim(value) == 0]
    file.attrs.update({name: joined.scalars[name] for name in constant})
    file.attrs.update(
        {
            "dataset_name": Path(file.filename).name.partition(".")[0],
            "grid_type": "cartesian",
            "n_spatial_dims": len(first.axes),
            "n_trajectories": first.trajectories,
            "simulation_parameters": np.array(constant, dtype=object) if constant else [],
        }
    )
    _axes(file, first, joined)
    file.create_group("boundary_conditions")  # not known, but readers of the layout look for it
    scalars = file.create_group("scalars")
    for name, value in joined.scalars.items():
        scalars[name] = value
        scalars[name].attrs.update({"sample_varying": False, "time_varying": bool(np.ndim(value))})
    groups = {1: file.create_group("t0_fields"), 2: file.create_group("t1_fields")}
    others = (scalars, file.create_group("t2_fields"))
    targets = {}
    for name in names:
        components = first.components(name)
        group = groups[min(components, 2)]
        shape = (first.trajectories, joined.times.shape[1], *first.shape)
        targets[name] = group.create_dataset(
            stored_name(name),
            shape if components == 1 else (*shape, components),
            np.dtype(dtype) if dtype else first.dtype(name),
        )
        flags = {"sample_varying": True, "time_varying": True, "units": first.unit(name)}
        targets[name].attrs.update({**flags, "dim_varying": [True] * len(first.axes)})
    for group in (*groups.values(), *others):
        group.attrs["field_names"] = np.array(list(group), dtype=object) if len(group) else []
    return targets


def _axes(file: Any, first: Frames, joined: Joined) -> None:
    dimensions = file.create_group("dimensions")
    dimensions.attrs["spatial_dims"] = np.array(first.axes, dtype=object)
    varying = bool(np.any(joined.times != joined.times[0]))
    dimensions["time"] = joined.times if varying else joined.times[0]
    dimensions["time"].attrs.update(
        {"sample_varying": varying, "time_varying": True, "units": first.time_unit}
    )
    for axis in first.axes:
        dimensions[axis] = first.coordinate(axis)
        dimensions[axis].attrs.update({"sample_varying": False, "time_varying": False})


def stored_name(name: str) -> str:
    """A field's name in the file that is written: ``v[0]`` as ``v_0``."""
    return name.strip("/").replace("[", "_").replace("]", "").replace("/", "_")


def _copy(stored: Frames, targets: dict[str, Any], start: int) -> None:
    for name, target in targets.items():
        for trajectory, where, values in pieces(stored, name):
            last = values if values.ndim == 1 + len(stored.shape) else np.moveaxis(values, 1, -1)
            last = last.reshape(*last.shape[: target.ndim - 1])  # one component has no axis
            target[trajectory, start + where.start : start + where.stop] = last
