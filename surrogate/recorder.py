"""Recording a solver's frames from Python: a face of ``surrogate_recorder`` in ``surrogate.h``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, overload

from surrogate import _native
from surrogate.closing import Closing
from surrogate.mpi import Communicator, DistributedRecorder
from surrogate.recording import Boundary, entry, recorder_options


class Recorder(Closing):
    """A recording in The Well's layout (HDF5); close it, or use it in a ``with`` statement.

    Every frame whose :meth:`write` returned survives the end of the process; the file can be read meanwhile.
    Axes stand slowest first, as in numpy.

    Parameters
    ----------
    path : path
        Where the recording appears with its first frame.
    spatial_rank : int
        Number of spatial axes: 1, 2 or 3.
    units : mapping of str to str, optional
        Units of the fields.
    name, description : str, optional
        Of the data set.
    time_unit, length_unit : str
        Units of the times, and of `spacing` and `origin`.
    spacing, origin : sequence of float, optional
        Distance of cells and coordinate of the first; default: coordinates count cells.
    boundary : sequence of {"periodic", "wall", "open", None}, optional
        One an axis; None: not known.
    parameters : mapping of str to float, optional
        Scalar parameters of the run.
    trajectory, seed : int, optional
        Number of the run in its data set, and the seed of its initial state.
    precision : {"float32", "float64"}, optional
        Stored precision; default: each field's own.
    compression : int
        Deflate level of the finished file, 0 (none) to 9.
    chunk : sequence of int, optional
        Cells of a chunk of the finished file.
    overwrite : bool
        Replace a recording that stands at `path`.

    Raises
    ------
    EngineError
        If the recorder's library, which needs HDF5, is missing.
    ArgumentError
        If the path is taken or an option is out of range.
    WriteError
        If the folder cannot be written.

    Examples
    --------
    >>> with Recorder("run7.h5", units={"rho": "kg/m3"}) as recorder:        # doctest: +SKIP
    ...     recorder.write(t, {"rho": rho, "v": v})         # (ny, nx), (2, ny, nx)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        spatial_rank: int = 2,
        units: Mapping[str, str] | None = None,
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
    ) -> None:
        self.path = os.fspath(path)
        self._spatial_rank = spatial_rank
        self._units = dict(units or {})
        options = recorder_options(
            spatial_rank,
            name=name,
            description=description,
            time_unit=time_unit,
            length_unit=length_unit,
            spacing=spacing,
            origin=origin,
            boundary=boundary,
            parameters=parameters,
            trajectory=trajectory,
            seed=seed,
            precision=precision,
            compression=compression,
            chunk=chunk,
            overwrite=overwrite,
        )
        self._native = _native.Recorder(os.fsencode(path), options)

    @overload
    @classmethod
    def open(cls, path: str | os.PathLike[str], *, comm: None = None, **options: Any) -> Self: ...
    @overload
    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, comm: Communicator, **options: Any
    ) -> DistributedRecorder: ...
    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, comm: Communicator | None = None, **options: Any
    ) -> Self | DistributedRecorder:
        """Begin a recording, of one process or of all ranks of a communicator.

        Parameters
        ----------
        path : path
            Where the recording appears with its first frame.
        comm : mpi4py.MPI.Comm, optional
            For a domain that lies in blocks on its ranks: a collective call, which returns a
            :class:`surrogate.mpi.DistributedRecorder`.
        **options
            The other keywords of this class; with `comm` also ``deadline``.
        """
        return cls(path, **options) if comm is None else DistributedRecorder(path, comm, **options)

    def write(self, time: float, fields: Mapping[str, Any]) -> None:
        """Add the frame of one time.

        Parameters
        ----------
        time : float
            Later than the last one, in `time_unit`.
        fields : mapping of str to array, shape (ny, nx), (components, ny, nx) or (batch, components, ny, nx)
            The same names, shapes and dtypes (float32, float64) in every frame; any strides. A batch axis
            counts trajectories.

        Raises
        ------
        WriteError
            If the disk is full or gone: the frame is not stored, the earlier ones are.
        SurrogateError
            If the fields are not those of the first frame, or the time is not later.
        """
        entries = [
            entry(name, value, self._units.get(name), self._spatial_rank)
            for name, value in fields.items()
        ]
        self._native.write(time, entries)

    def close(self) -> None:
        """End the recording: its frames are joined in one file.

        Raises
        ------
        WriteError
            If there is no room for that; the frames stay readable as they are.
        """
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._native.closed

    def __repr__(self) -> str:
        return f"<Recorder {self.path}: {'closed' if self.closed else 'open'}>"
