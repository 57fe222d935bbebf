"""Files of many frames in HDF5: recordings (The Well's layout), and one array a field with ``/time`` (mhd2d's)."""

from __future__ import annotations

import os
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.closing import Closing
from surrogate.errors import ArgumentError, CorruptError, FieldError, NotFoundError
from surrogate.io.arrays import (
    Array,
    check_component,
    missing,
    native,
    reading,
    spacing_of,
    split_component,
)

SUFFIXES = (".h5", ".hdf5", ".he5")
_GROUPS = ("t0_fields", "t1_fields", "t2_fields")


class FrameFile(Closing):
    """One file of frames, opened for reading; close it, or use it in a ``with`` statement.

    A recording that is still written, or whose writer was killed, is read as far as it goes.

    Attributes
    ----------
    names : tuple of str
        The fields.
    frames, trajectories : int
        Frames of a trajectory, and trajectories; 1 in files without that axis.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        import h5py

        self.path = Path(path)
        if not self.path.is_file():
            raise NotFoundError(f"{self.path}: no such file")
        with reading(self.path):
            self._file = h5py.File(self.path, "r")
        try:
            self._datasets = self._find()
            if not self._datasets:
                raise CorruptError(
                    f"{self.path} holds no frames: expected a recording (groups {', '.join(_GROUPS)}), or /time and "
                    "arrays (frames, ny, nx); a file of any other layout needs a mapping (YAML). Its datasets: "
                    f"{_contents(self._file)}"
                )
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(self._datasets)
        self.frames = len(self.times())
        self.trajectories = int(self._file.attrs["n_trajectories"]) if self.is_recording else 1

    @property
    def time_unit(self) -> str:
        """Unit of the times; ``1`` if the file does not say."""
        return _text(self._file[self._time].attrs.get("units", "1"))

    @property
    def _time(self) -> str:
        return "dimensions/time" if self.is_recording else "time"

    @property
    def is_recording(self) -> bool:
        """Whether the file has The Well's layout."""
        return any(group in self._file for group in _GROUPS)

    def _find(self) -> dict[str, Any]:
        return _recorded(self._file) if self.is_recording else _stacked(self._file)

    def times(self, trajectory: int = 0) -> NDArray[np.float64]:
        """Times of the frames, shape (frames,)."""
        values = np.asarray(self._file[self._time])
        result: NDArray[np.float64] = np.asarray(
            values[trajectory] if values.ndim == 2 else values, np.float64
        )
        return result

    def scalar(self, name: str) -> Array:
        """A scalar of a recording, shape (frames,); a constant one, or a number among the attributes, is repeated."""
        if f"scalars/{name}" in self._file:
            values = np.asarray(self._file["scalars"][name])
        elif name in self.constants:
            values = np.asarray(self.constants[name])
        else:
            raise FieldError(missing(self.path, "scalar", name, self.constants))
        return values if values.ndim else np.broadcast_to(values, (self.frames,))

    def unit(self, name: str) -> str:
        """Unit of a field; ``1`` if the file does not say."""
        return _text(self._dataset(name)[0].attrs.get("units", "1"))

    def dtype(self, name: str) -> np.dtype[Any]:
        """Type of the values that :meth:`read` returns."""
        stored: np.dtype[Any] = self._dataset(name)[0].dtype
        return stored.newbyteorder("=")

    def components(self, name: str) -> int:
        """Number of components of a field; 1 for ``NAME[k]``."""
        dataset, component = self._dataset(name)
        if component is not None:
            return 1
        if not self.is_recording:
            return int(dataset.shape[1]) if dataset.ndim == 2 + len(self.shape) else 1
        rank = {"t1_fields": 1, "t2_fields": 2}.get(_group(dataset), 0)
        return int(np.prod(dataset.shape[-rank:])) if rank else 1

    def read(self, name: str, start: int, stop: int, *, trajectory: int = 0) -> Array:
        """Frames `start` to `stop` of a field.

        Parameters
        ----------
        name : str
            A field, its path in the file, or ``NAME[k]`` for one component.
        start, stop : int
            Half-open range.
        trajectory : int
            Which one, of a file that has several.

        Returns
        -------
        ndarray, shape (frames, ny, nx), or (frames, components, ny, nx) for a field of several components
            In the file's precision.

        Raises
        ------
        FieldError
            If there is no such field, or no such component of it.
        CorruptError
            If the values cannot be read.
        """
        dataset, component = self._dataset(name)
        if component is not None:
            base, _ = split_component(name)
            check_component(self.path, base, component, self.components(base))
        with reading(self.path, name):
            values = self._values(dataset, start, stop, trajectory)
        several = component is not None and values.ndim > 1 + len(self.shape)
        return values[:, component] if several else values

    def _values(self, dataset: Any, start: int, stop: int, trajectory: int) -> Array:
        """(frames, ny, nx), or (frames, components, ny, nx)."""
        if not self.is_recording:
            return native(np.asarray(dataset[start:stop]))
        whose = (trajectory,) if dataset.attrs.get("sample_varying", True) else ()
        if dataset.attrs.get("time_varying", True):
            values = dataset[(*whose, slice(start, stop))]
        else:
            constant = dataset[whose]
            values = np.broadcast_to(constant, (stop - start, *constant.shape))
        return native(_components_first(np.asarray(values), _group(dataset)))

    def state(self, index: int, *, trajectory: int = 0) -> dict[str, Array]:
        """All fields of one frame; a negative index counts from the last.

        Raises
        ------
        ArgumentError
            If there is no such frame.
        """
        if not -self.frames <= index < self.frames:
            raise ArgumentError(f"{self.path}: frame {index}; it holds {self.frames}")
        start = index % self.frames
        return {
            name: self.read(name, start, start + 1, trajectory=trajectory)[0] for name in self.names
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells, slowest axis first."""
        if not self.is_recording:
            scalar = min(self._datasets.values(), key=lambda d: d.ndim)  # others have components
            return tuple(int(n) for n in scalar.shape[1:])
        return tuple(len(self._file["dimensions"][axis]) for axis in self.axes)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of cells, slowest axis first; in files without it those of the unit square."""
        if self.is_recording:
            return tuple(spacing_of(self.coordinate(axis)) for axis in self.axes)
        return tuple(
            float(self._file.attrs.get(f"l{axis}", 1.0)) / n
            for axis, n in zip(self.axes, self.shape, strict=True)
        )

    def coordinate(self, axis: str) -> NDArray[np.float64]:
        """Coordinates of the cells along an axis, shape (n,)."""
        if self.is_recording:
            return np.asarray(self._file["dimensions"][axis], np.float64)
        k = self.axes.index(axis)
        return np.asarray(self.spacing[k] * np.arange(self.shape[k]), np.float64)

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the spatial axes, slowest first."""
        if self.is_recording:
            return tuple(str(name) for name in self._file["dimensions"].attrs["spatial_dims"])
        return ("z", "y", "x")[-len(self.shape) :]

    @property
    def constants(self) -> dict[str, float]:
        """Scalar parameters of the run."""
        if not self.is_recording:
            return {k: float(v) for k, v in self._file.attrs.items() if isinstance(v, Real)}
        return {
            name: float(entry[()])
            for name, entry in self._file.get("scalars", {}).items()
            if entry.shape in ((), (1,)) and not entry.attrs.get("time_varying", False)
        }

    def attribute(self, name: str) -> Any:
        """An attribute of the file; None if it is not there."""
        return self._file.attrs.get(name)

    def _dataset(self, name: str) -> tuple[Any, int | None]:
        """The dataset, and which component of it is asked for."""
        base, component = split_component(name)
        dataset = self._datasets.get(base.strip("/"), self._file.get(base))
        if dataset is None or not hasattr(dataset, "shape"):
            raise FieldError(missing(self.path, "field", base.strip("/"), self.names))
        return dataset, component

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _contents(file: Any) -> str:
    """All datasets with their shapes."""
    import h5py

    found: list[str] = []

    def note(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset):
            found.append(f"{name} {entry.shape}")

    file.visititems(note)
    return ", ".join(found[:20]) or "none"


def _group(dataset: Any) -> str:
    return str(dataset.parent.name).strip("/")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def holds_frames(file: Any) -> bool:
    """Whether an open HDF5 file holds frames, or else one state."""
    return any(group in file for group in _GROUPS) or bool(_stacked(file))


def _recorded(file: Any) -> dict[str, Any]:
    return {
        name: dataset for group in _GROUPS if group in file for name, dataset in file[group].items()
    }


def _stacked(file: Any) -> dict[str, Any]:
    """Arrays (frames, ...) beside ``/time`` (frames,)."""
    import h5py

    time = file.get("time")
    if not isinstance(time, h5py.Dataset) or time.ndim != 1:
        return {}
    return {
        name: entry
        for name, entry in file.items()
        if isinstance(entry, h5py.Dataset) and entry.ndim > 1 and len(entry) == len(time)
    }


def _components_first(values: Array, group: str) -> Array:
    """(frames, ny, nx, components...) as (frames, components, ny, nx)."""
    if group == "t2_fields":
        values = values.reshape(*values.shape[:-2], -1)
    return values if group == "t0_fields" else np.moveaxis(values, -1, 1)
