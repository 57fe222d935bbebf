"""Files of many frames in HDF5: recordings (The Well's layout), and one array a field with ``/time`` (mhd2d's)."""

from __future__ import annotations

import os
import re
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surrogate.closing import Closing
from surrogate.errors import ArgumentError, CorruptError, FieldError, NotFoundError

Array = NDArray[Any]
_GROUPS = ("t0_fields", "t1_fields", "t2_fields")
_COMPONENT = re.compile(r"^(?P<name>.+)\[(?P<index>\d+)\]$")


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
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise CorruptError(f"{self.path}: cannot be read ({error})") from error
        try:
            self._datasets = self._find()
            if not self._datasets:
                raise CorruptError(
                    f"{self.path} holds no frames: expected a recording (groups {', '.join(_GROUPS)}), or /time and "
                    "arrays (frames, ny, nx)"
                )
        except BaseException:
            self._file.close()
            raise
        self.names = tuple(self._datasets)
        self.frames = len(self.times())
        self.trajectories = int(self._file.attrs["n_trajectories"]) if self.is_recording else 1

    @property
    def is_recording(self) -> bool:
        """Whether the file has The Well's layout."""
        return any(group in self._file for group in _GROUPS)

    def _find(self) -> dict[str, Any]:
        return _recorded(self._file) if self.is_recording else _stacked(self._file)

    def times(self, trajectory: int = 0) -> NDArray[np.float64]:
        """Times of the frames, shape (frames,)."""
        values = np.asarray(self._file["dimensions/time" if self.is_recording else "time"])
        result: NDArray[np.float64] = np.asarray(
            values[trajectory] if values.ndim == 2 else values, np.float64
        )
        return result

    def scalar(self, name: str) -> Array:
        """A scalar that a recording stores with every frame, shape (frames,)."""
        if f"scalars/{name}" not in self._file:
            raise FieldError(f"{self.path} has no scalar {name!r}")
        return np.asarray(self._file["scalars"][name])

    def unit(self, name: str) -> str:
        """Unit of a field; ``1`` if the file does not say."""
        return str(self._dataset(name)[0].attrs.get("units", "1"))

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
            If there is no such field.
        """
        dataset, component = self._dataset(name)
        if not self.is_recording:
            return np.asarray(dataset[start:stop])
        whose = (trajectory,) if dataset.attrs.get("sample_varying", True) else ()
        if dataset.attrs.get("time_varying", True):
            values = dataset[(*whose, slice(start, stop))]
        else:
            constant = dataset[whose]
            values = np.broadcast_to(constant, (stop - start, *constant.shape))
        values = _components_first(np.asarray(values), dataset.parent.name.strip("/"))
        return values if component is None else values[:, component]

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
            return tuple(int(n) for n in next(iter(self._datasets.values())).shape[1:])
        return tuple(len(self._file["dimensions"][axis]) for axis in self._axes())

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance of cells, slowest axis first; in files without it those of the unit square."""
        if not self.is_recording:
            lengths = [float(self._file.attrs.get(f"l{axis}", 1.0)) for axis in "zyx"]
            return tuple(
                length / n
                for length, n in zip(lengths[-len(self.shape) :], self.shape, strict=True)
            )
        steps = []
        for axis in self._axes():
            values = np.asarray(self._file["dimensions"][axis], np.float64)
            steps.append(float(values[1] - values[0]) if len(values) > 1 else 1.0)
        return tuple(steps)

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

    def _axes(self) -> list[str]:
        return [str(name) for name in self._file["dimensions"].attrs["spatial_dims"]]

    def _dataset(self, name: str) -> tuple[Any, int | None]:
        """The dataset, and which component of it is asked for."""
        found = _COMPONENT.match(name)
        base, component = (found["name"], int(found["index"])) if found else (name, None)
        dataset = self._datasets.get(base.strip("/"), self._file.get(base))
        if dataset is None or not hasattr(dataset, "shape"):
            raise FieldError(f"{self.path} has no field {base!r}; it has {', '.join(self.names)}")
        return dataset, component

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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
