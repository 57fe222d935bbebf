"""The Python face of a model: open a bundle, predict, roll out. Everything runs through libsurrogate."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack, overload

from surrogate import _native
from surrogate.ensemble import Ensemble
from surrogate.errors import ArgumentError
from surrogate.facts import Verification
from surrogate.handle import Handle, OnReject, Reads
from surrogate.mpi import Communicator, DistributedSurrogate, Mode
from surrogate.opening import OpenKeywords, open_options
from surrogate.paths import find_bundle
from surrogate.pending import Pending
from surrogate.state import state_of
from surrogate.steps import Parameters, Step, StepKeywords


class Surrogate(Handle[_native.Model]):
    """An opened bundle. Made by :meth:`open`; close it, or use it in a ``with`` statement.

    Examples
    --------
    >>> model = Surrogate.open("flow.surrogate")                             # doctest: +SKIP
    >>> try:
    ...     state = model.predict(state)                    # t += model.time_step
    ... except Rejected:
    ...     state = solver.advance(state, model.time_step)  # the solver steps itself
    """

    @overload
    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        comm: None = None,
        **options: Unpack[OpenKeywords],
    ) -> Self: ...
    @overload
    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        comm: Communicator,
        mode: Mode = "auto",
        tile_shape: Sequence[int] | None = None,
        deadline: float = 600.0,
        leaders: int = 0,
        reader: int = 0,
        **options: Unpack[OpenKeywords],
    ) -> DistributedSurrogate: ...
    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, comm: Communicator | None = None, **options: Any
    ) -> Self | DistributedSurrogate:
        """Open a bundle; what the library has to say goes to the logger ``surrogate``.

        Parameters
        ----------
        path : path or str
            The folder ``NAME.surrogate``, or the name of a bundle that comes with the package.
        engine : str
            ``torch``, ``stub``, ``python``, or ``auto``: that of the fastest program that can run.
            ``auto`` never runs Python code of a bundle; ``python`` does, in this interpreter.
            ``none`` loads no program and predicts nothing: for facts, and for a rank whose program another runs.
        program : str, optional
            A program's name in the manifest or the overlay.
        device : str
            ``cpu``, ``cuda``, ``cuda:1``.
        precision : str, optional
            ``fp32``, ``bf16``, ``fp16``; default: the chosen program's.
        threads : int
            CPU threads of a prediction; 0: what the engine finds.
        verify : str
            ``hashes``, or ``example`` to replay the example pair too.
        guards : mapping, or path of a JSON file, optional
            Replaces guards of the manifest key by key; None removes one: ``{"bounds": {"rho": {"lower": 0}},
            "jump": None, "policy": {"conserved": "project"}}``. Keys as in the manifest.
        engine_path : path or sequence of paths, optional
            Folders searched for engines before ``SURROGATE_ENGINE_PATH``.
        engine_options : mapping, optional
            Handed to the engine; for ``python``: ``communicator`` (``comm.py2f()``), the rest is the program's own.
        overlay : path, optional
            Folder of the programs that ``surrogate lower`` made for this machine; default: the
            user's (``$SURROGATE_OVERLAY``, else ``surrogate/overlay`` in the cache); ``""``: none.
        record_calls : path, optional
            A recording of input and output of every accepted prediction, frames of a rollout included
            and ensembles not, for ``surrogate verify BUNDLE --replay FILE``; closing the model
            finishes it. A call that cannot be stored is counted in `statistics`, logged once, and
            predicts as ever.
        preload : bool
            Load the programs of all steps of a generative model now, and run each once, not at its first use.
        comm : mpi4py.MPI.Comm, optional
            Open on all its ranks, for a domain that lies in blocks on them: a collective call, which returns a
            :class:`surrogate.mpi.DistributedSurrogate`; ``mode``, ``tile_shape``, ``deadline``, ``leaders`` and
            ``reader`` are explained there.

        Raises
        ------
        SurrogateError
            Its subclasses: NotFoundError, CorruptError, SchemaError, EngineError, ArgumentError.
        """
        if comm is not None:
            return DistributedSurrogate.open(path, comm, **options)
        return cls(_native.Model.open(os.fsencode(find_bundle(path)), open_options(**options)))

    @classmethod
    def open_memory(cls, files: Mapping[str, bytes], **options: Any) -> Self:
        """Open a bundle that is in memory already, for instance read by another MPI rank.

        Parameters
        ----------
        files : mapping of str to bytes
            Content by path inside the bundle, ``manifest.json`` among them.
        **options
            Keywords of :meth:`open`.

        Raises
        ------
        SurrogateError
            As in :meth:`open`.
        """
        return cls(_native.Model.open_memory(list(files.items()), open_options(**options)))

    def verify(self) -> Verification:
        """Hash every file of the bundle and replay its example pair.

        Raises
        ------
        CorruptError
            If a file's hash is wrong.
        UnsupportedError
            If the bundle has no example.
        """
        return Verification(**self._native.verify())

    def predict(
        self,
        field: Any,
        *,
        out: Any = None,
        step: int | None = None,
        time: float | None = None,
        parameters: Parameters | None = None,
        seed: int = 0,
        member: int = 0,
        members: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        caption: str | None = None,
        history: Sequence[Any] = (),
        units: Mapping[str, str] | None = None,
    ) -> Any:
        """Predict the state one :attr:`time_step` later.

        Parameters
        ----------
        field : array, shape (C, ny, nx) or (B, C, ny, nx); or mapping of name to array
            The state at t1, float32 or float64, any strides, in the manifest's units: one array
            with the channels in the manifest's order, or one array a field, of shape (ny, nx),
            (components, ny, nx) or (B, components, ny, nx). Arrays may be numpy, torch, cupy,
            anything with DLPack, ``__array_interface__`` or ``__cuda_array_interface__``, or
            astropy Quantities, whose units are converted. Those in CUDA memory (all of a call, of a
            model opened on that device) are read and written there, in the order of the current
            stream of torch or cupy, or that of the interface.
        out : same kind as `field`, optional
            Where the frame is written, in place; may be `field` itself. Condition fields in it are
            left alone. Needed where only the ``__cuda_array_interface__`` of `field` is known.
        step : int, optional
            Number of the step; stochastic models need it.
        time : float, optional
            t1, in the manifest's time unit.
        parameters : mapping of name to float, or sequence of float, optional
            Scalar parameters; default: the manifest's presets.
        seed, member : int
            Of the random numbers of stochastic models; state b of a batch draws as ``member + b``.
        members : int, optional
            Mean and spread over so many members of a stochastic model; state b of a batch draws as
            members ``member + b * members``, …; of a generative model ``info.largest_members`` at most.
        steps : int, optional
            Evaluations of a generative model's net, one of ``info.steps``; default: the bundle's preset. The program of
            another number than the preset is loaded at its first use.
        guidance : float, optional
            Weight of the condition of a model that has it, 0 to ``info.largest_guidance``; or give the parameter
            ``guidance``.
        caption : str, optional
            What the frame should show, for a model that takes captions: at most ``info.caption_length`` words.
        history : sequence of states
            Older frames of a model that reads ``info.history > 1``: the one a time step before
            `field` first, then the one before it; same kind, dtype and shape.
        units : mapping of name to str, optional
            Units of plain arrays, to be checked against the manifest.

        Returns
        -------
        array or dict
            The state at t2: `out` if given, else the same kind, dtype and shape as `field`. In a
            dict, a field that is read and never predicted is the array that was given.
            With `members` an :class:`Ensemble` of such states.

        Raises
        ------
        Rejected
            If a guard refused the state or the frame; `out` is untouched.
        SurrogateError
            If something broke; `out` is untouched.
        """
        state: Any = state_of(field, self._layout, units)
        at = Step(step, time, parameters, seed, member, steps, guidance, caption)
        reads = self._reads(state, history, units)
        if members is not None:
            if out is not None:
                raise ArgumentError("predict: out= takes one frame; leave it out with members=")
            return self._ensemble(state, reads, members, at)
        target = state.empty() if out is None else state.target(out)
        self._accept(self._native.predict(state.writes(target), reads, self._options(at, state)))
        return state.wrap(target) if out is None else out

    def predict_members(
        self,
        field: Any,
        members: int,
        *,
        history: Sequence[Any] = (),
        units: Mapping[str, str] | None = None,
        **step: Unpack[StepKeywords],
    ) -> Any:
        """Predict several members of a stochastic model.

        Parameters
        ----------
        field, history, units, **step
            As in :meth:`predict`.
        members : int
            Their number; the first is `member`.

        Returns
        -------
        array, shape (members, C, ny, nx), or dict of such arrays
            The states at t2; (B, members, C, ny, nx) for a batch. In a dict, a field that is never
            predicted is the array that was given.

        Raises
        ------
        Rejected
            If a guard refused the state or one of the members.
        SurrogateError
            If something broke.
        """
        state: Any = state_of(field, self._layout, units)
        reads = self._reads(state, history, units)
        options = self._options(Step(**step), state, members=members)
        frames = state.empty_members(members)
        self._accept(self._native.predict_members(state.writes_many(frames), reads, options))
        return state.wrap(frames)

    def predict_begin(
        self,
        field: Any,
        *,
        out: Any = None,
        history: Sequence[Any] = (),
        units: Mapping[str, str] | None = None,
        **step: Unpack[StepKeywords],
    ) -> Pending:
        """Begin a prediction on a thread of the library's, and go on.

        Parameters
        ----------
        field, out, history, units, **step
            As in :meth:`predict`; the arrays are borrowed until ``wait`` returns.

        Returns
        -------
        Pending
            ``wait()`` returns what :meth:`predict` would, and writes `out`.

        Raises
        ------
        SurrogateError
            If the arguments are wrong, or a prediction of this model is under way.
        """
        state: Any = state_of(field, self._layout, units)
        reads = self._reads(state, history, units)
        target = state.empty() if out is None else state.target(out)
        self._native.begin(state.writes(target), reads, self._options(Step(**step), state))

        def finish(status: int) -> Any:
            self._accept(status)
            return state.wrap(target) if out is None else out

        return Pending(self._native, finish, state.batch * self.info.partial_count)

    def rollout(
        self,
        field: Any,
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
        """Predict `steps` frames, each from the one before.

        Parameters
        ----------
        field : array or mapping
            The state at t1, as in :meth:`predict`.
        steps : int
            Number of frames.
        on_reject : {"raise", "stop"} or callable
            What to do when a guard refuses: raise :class:`Rejected`; return the frames so far; or
            call ``on_reject(state, rejection)``, which returns the next state (the solver steps
            itself).
        step, time, parameters, seed, member, guidance, caption, history, units
            As in :meth:`predict`, for the first frame; `step` and `time` go on counting.
        sampler_steps : int, optional
            The ``steps`` of :meth:`predict`, for every frame.

        Returns
        -------
        array, shape (n, C, ny, nx), or dict of arrays with a first axis of n frames
            Frames at ``t1 + time_step``, ``t1 + 2 time_step``, …; ``n = steps``, or fewer where
            ``on_reject="stop"`` ended it. In a dict, a field that is never predicted is the array
            that was given, without the axis of frames.

        Raises
        ------
        Rejected, SurrogateError
            As in :meth:`predict`.
        """
        if steps < 0:
            raise ArgumentError(f"rollout: steps={steps}; expected 0 or more")
        state: Any = state_of(field, self._layout, units)
        at = Step(step, time, parameters, seed, member, sampler_steps, guidance, caption)

        def advance(frames: Any, reads: Reads, done: int, _: Any) -> tuple[int, int]:
            options = self._options(at, state, ahead=done)
            return self._native.rollout(state.writes_many(frames), reads, steps - done, options)

        reads = self._reads(state, history, units)  # of the frames behind us, newest first
        return self._roll(state, reads, steps, on_reject, advance)

    def _ensemble(self, state: Any, reads: Reads, members: int, at: Step) -> Ensemble:
        mean, spread = state.empty(), state.blank() if members > 1 else None
        writes = None if spread is None else state.writes(spread)
        self._accept(
            self._native.predict_ensemble(
                state.writes(mean), writes, reads, self._options(at, state, members=members)
            )
        )
        return Ensemble(state.wrap(mean), None if spread is None else state.wrap(spread), members)
