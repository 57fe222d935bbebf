"""A model that all ranks of a communicator opened: each predicts its block of the domain, all come to one outcome."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack

from surrogate import _native
from surrogate.errors import ArgumentError, NotFoundError, Rejection, ShapeError
from surrogate.handle import Handle, OnReject, Reads
from surrogate.mpi.decomposition import Decomposition
from surrogate.mpi.library import Communicator, handle_of, native
from surrogate.mpi.report import Report
from surrogate.opening import OpenKeywords, open_options
from surrogate.paths import find_bundle
from surrogate.state import state_of
from surrogate.steps import Parameters, Step, StepKeywords

if TYPE_CHECKING:
    from surrogate import _native_mpi

Mode = Literal["auto", "tiles", "gather", "batch"]


class DistributedSurrogate(Handle["_native_mpi.Model"]):
    """A bundle opened by all ranks of a communicator, for a domain that lies in blocks on them.

    Made by :meth:`surrogate.Surrogate.open` with ``comm=``; all calls but properties are collective: every rank makes
    them, in the same order. What one rank cannot do ends as an error on all. Close it on all ranks, or use it in a
    ``with`` statement; letting go of it frees nothing.

    Examples
    --------
    >>> where = Decomposition.of(comm, (ny, nx))                             # doctest: +SKIP
    >>> with Surrogate.open("flow.surrogate", comm=comm) as model:
    ...     block = model.predict(block, where)             # or Rejected, on all ranks
    """

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        comm: Communicator,
        *,
        mode: Mode = "auto",
        tile_shape: Sequence[int] | None = None,
        deadline: float = 600.0,
        leaders: int = 0,
        reader: int = 0,
        **options: Unpack[OpenKeywords],
    ) -> Self:
        """Open a bundle on all ranks; collective.

        Parameters
        ----------
        path : path or str
            As in :meth:`surrogate.Surrogate.open`; read by one rank, the others receive it.
        comm : mpi4py.MPI.Comm
            An intra-communicator of any size, on the same MPI as libsurrogate_mpi. It is duplicated.
        mode : {"auto", "tiles", "gather", "batch"}
            Where programs run: each rank its own block with a halo; one rank the whole domain; leaders of a node the
            tiles of its ranks. ``auto`` chooses by the model and the sizes.
        tile_shape : sequence of int, optional
            With ``tiles``: cells of a tile without its halo. Then the bits do not depend on the number of ranks.
        deadline : float
            Seconds that a rank may be silent before the others get a :class:`~surrogate.errors.SilentRankError`;
            silent is a rank, too, whose arguments Python refuses before the library is called.
        leaders : int
            With ``batch``: ranks of a node that run programs; 0: one a GPU, or one.
        reader : int
            The rank that reads the bundle, and that ``gather`` runs on.
        **options
            Keywords of :meth:`surrogate.Surrogate.open`, equal on all ranks; ``device="cuda"`` is one of the node's.

        Raises
        ------
        UnsupportedError
            If this installation has no libsurrogate_mpi, or `comm` belongs to another MPI.
        SurrogateError
            As in :meth:`surrogate.Surrogate.open`, on all ranks.
        """
        handle = handle_of(comm)
        library = native()
        if mode not in library.MODES:
            names = ", ".join(repr(name) for name in library.MODES)
            raise ArgumentError(f"mode={mode!r}; expected one of {names}")
        mpi = library.MpiOptions(
            mode=library.MODES[mode],
            leaders=leaders,
            reader=reader,
            deadline=deadline,
            tile_shape=list(tile_shape or ()),
        )
        opened = library.Model.open(handle, _encoded(path), open_options(**options), mpi)
        return cls(opened)

    def predict(
        self,
        field: Any,
        decomposition: Decomposition | None = None,
        *,
        out: Any = None,
        history: Sequence[Any] = (),
        units: Mapping[str, str] | None = None,
        **step: Unpack[StepKeywords],
    ) -> Any:
        """Predict this rank's block of the state one :attr:`time_step` later; collective.

        Parameters
        ----------
        field : array, shape (C, ny, nx), or mapping of name to array
            This rank's block at t1, without ghost cells; kinds, dtypes, units as in
            :meth:`surrogate.Surrogate.predict`, in host memory on more than one rank, without a batch axis.
        decomposition : Decomposition, optional
            Where the block lies. May be left out on a communicator of one rank.
        out, history, units, **step
            As in :meth:`surrogate.Surrogate.predict`; dtype and the keywords of the step are equal on all ranks.

        Returns
        -------
        array or dict
            The block at t2: `out` if given, else the same kind, dtype and shape as `field`.

        Raises
        ------
        Rejected
            On all ranks, if a guard refused the state or the frame; nothing was written on any. The rejection's
            ``rank`` holds the offending value, its ``cell`` counts in the whole domain.
        SurrogateError
            On all ranks, if something broke on one; nothing was written.
        """
        with self._taking_part():
            state: Any = self._block(field, decomposition, units)
            reads = self._reads(state, history, units)
            target = state.empty() if out is None else state.target(out)
            writes, options = state.writes(target), self._options(Step(**step), state)
            place = _place(decomposition)
        self._accept(self._native.predict(writes, reads, options, place))
        return state.wrap(target) if out is None else out

    def rollout(
        self,
        field: Any,
        decomposition: Decomposition | None,
        steps: int,
        *,
        on_reject: OnReject = "raise",
        step: int | None = None,
        time: float | None = None,
        parameters: Parameters | None = None,
        seed: int = 0,
        member: int = 0,
        sampler_steps: int | None = None,
        guidance: float | None = None,
        caption: str | None = None,
        history: Sequence[Any] = (),
        units: Mapping[str, str] | None = None,
    ) -> Any:
        """Predict `steps` frames of this rank's block, each from the one before; collective.

        Parameters
        ----------
        field, decomposition
            As in :meth:`predict`.
        steps : int
            Number of frames, equal on all ranks.
        on_reject, step, time, parameters, seed, member, sampler_steps, guidance, caption, history, units
            As in :meth:`surrogate.Surrogate.rollout`; a callable is called on all ranks, with their blocks.

        Returns
        -------
        array, shape (n, C, ny, nx), or dict of arrays with a first axis of n frames
            As :meth:`surrogate.Surrogate.rollout`, of this rank's block.

        Raises
        ------
        Rejected, SurrogateError
            As in :meth:`predict`.
        """
        if steps < 0:
            raise ArgumentError(f"rollout: steps={steps}; expected 0 or more")
        with self._taking_part():
            state: Any = self._block(field, decomposition, units)
            reads = self._reads(state, history, units)
            at = Step(step, time, parameters, seed, member, sampler_steps, guidance, caption)
            place = _place(decomposition)

        begun = 0
        given: Any = on_reject

        def advance(frames: Any, reads: Reads, done: int, latest: Any) -> tuple[int, int]:
            nonlocal begun
            begun = done + 1
            with self._taking_part():
                frame = state.frame(frames, 0)
                state.carry(frame, latest)
                writes = state.writes(frame)
                options = self._options(at, state, ahead=done)
            status = self._native.predict(writes, reads, options, place)
            return status, int(status == _native.OK)

        def fall_back(latest: Any, rejection: Rejection) -> Any:
            if begun == steps:  # there is no further call in which the others would wait
                return given(latest, rejection)
            with self._taking_part():
                return given(latest, rejection)

        return self._roll(state, reads, steps, fall_back if callable(given) else given, advance)

    @property
    def report(self) -> Report:
        """How the last prediction went on this rank."""
        return Report(**self._native.report())

    def close(self) -> None:
        """Free what the model holds; collective, unless a call timed out."""
        self._native.close()

    def __del__(self) -> None:
        if hasattr(self, "_native") and not self.closed:
            warnings.warn(
                f"{self!r} was let go of and never closed; close it on all ranks",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    def _block(
        self, field: Any, where: Decomposition | None, units: Mapping[str, str] | None
    ) -> Any:
        """The state of this rank, of the shape that its decomposition says."""
        state: Any = state_of(field, self._layout, units)
        if where is None or where.shape is None:
            return state
        arrays = state.current if isinstance(state.current, Mapping) else {None: state.current}
        for name, array in arrays.items():
            given = tuple(array.shape[-len(where.shape) :])
            if given != where.shape:
                label = "the block" if name is None else f"field {name!r}"
                raise ShapeError(
                    f"{label} has {given} cells; expected {where.shape}, as its decomposition says"
                )
        return state

    @contextmanager
    def _taking_part(self) -> Iterator[None]:
        """What fails here fails on this rank alone: let it be the outcome of all instead of their waiting."""
        try:
            yield
        except BaseException:
            self._native.abstain()
            raise


def _place(where: Decomposition | None) -> _native_mpi.Place:
    origin, whole = ((), ()) if where is None else (where.origin, where.global_shape)
    place: _native_mpi.Place = native().Place(origin=origin, global_shape=whole)
    return place


def _encoded(path: str | os.PathLike[str]) -> bytes:
    """The bundle's folder; where this rank does not see it, the path as it is: the reader may."""
    try:
        return os.fsencode(find_bundle(path))
    except NotFoundError:
        return os.fsencode(Path(path))
