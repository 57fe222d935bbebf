"""One recording of a domain that lies in blocks: a face of ``surrogate_mpi_recorder`` in ``surrogate_mpi.h``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from surrogate.closing import Closing
from surrogate.errors import ArgumentError
from surrogate.mpi.decomposition import Decomposition
from surrogate.mpi.library import Communicator, handle_of, native
from surrogate.recording import entry, recorder_options


class DistributedRecorder(Closing):
    """A recording of all ranks of a communicator, one file of the layout of :class:`surrogate.Recorder`.

    Made by :meth:`surrogate.Recorder.open` with ``comm=``. All calls are collective; close it on all ranks, or use it
    in a ``with`` statement.

    Parameters
    ----------
    path : path
        Where the recording appears, on a file system that all nodes see.
    comm : mpi4py.MPI.Comm
        An intra-communicator on the same MPI as libsurrogate_mpi. It is duplicated.
    deadline : float
        Seconds that a rank may be silent before the others get a :class:`~surrogate.errors.SilentRankError`.
    units, spatial_rank, **options
        Keywords of :class:`surrogate.Recorder`, equal on all ranks.

    Raises
    ------
    UnsupportedError
        If this installation has no libsurrogate_mpi, or `comm` belongs to another MPI.
    SurrogateError
        As in :class:`surrogate.Recorder`, on all ranks.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        comm: Communicator,
        *,
        deadline: float = 600.0,
        spatial_rank: int = 2,
        units: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.path = os.fspath(path)
        self._spatial_rank = spatial_rank
        self._units = dict(units or {})
        handle = handle_of(comm)
        native_options = recorder_options(spatial_rank, **options)
        self._native = native().Recorder.open(handle, os.fsencode(path), native_options, deadline)

    def write(self, time: float, fields: Mapping[str, Any], decomposition: Decomposition) -> None:
        """Add the frame of one time, each rank its block; the frame is stored whole or not at all.

        Parameters
        ----------
        time : float
            Equal on all ranks, later than the last one.
        fields : mapping of str to array, shape (ny, nx), (components, ny, nx) or (batch, components, ny, nx)
            This rank's block, without ghost cells, as in :meth:`surrogate.Recorder.write`.
        decomposition : Decomposition
            Where the block lies.

        Raises
        ------
        SurrogateError
            As in :meth:`surrogate.Recorder.write`, on all ranks.
        """
        try:
            if len(decomposition.origin) != self._spatial_rank:
                raise ArgumentError(
                    f"write: {decomposition}; expected {self._spatial_rank} spatial axes, as the recorder has"
                )
            entries = [
                entry(name, value, self._units.get(name), self._spatial_rank)
                for name, value in fields.items()
            ]
            place = native().Place(
                origin=decomposition.origin, global_shape=decomposition.global_shape
            )
        except BaseException:
            self._native.abstain()  # the outcome of all ranks, instead of their waiting
            raise
        self._native.write(time, entries, place)

    def close(self) -> None:
        """End the recording: its frames are joined in one file; collective, unless a call timed out."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        closed: bool = self._native.closed
        return closed

    def __repr__(self) -> str:
        return f"<DistributedRecorder {self.path}: {'closed' if self.closed else 'open'}>"
