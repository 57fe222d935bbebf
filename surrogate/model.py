"""The Python face of a model: open a bundle, predict, roll out. Everything runs through libsurrogate."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from surrogate import _native
from surrogate.ensemble import Ensemble
from surrogate.errors import ArgumentError, Rejected, Rejection
from surrogate.facts import (
    FieldInfo,
    Info,
    ParameterInfo,
    Statistics,
    Verification,
    quantity_text,
)
from surrogate.paths import find_bundle
from surrogate.pending import Pending
from surrogate.state import Layout, State, state_of
from surrogate.steps import Parameters, Step, StepKeywords

_LEVELS = {1: logging.INFO, 2: logging.WARNING}
_VERIFY = {"hashes": _native.VERIFY_HASHES, "example": _native.VERIFY_EXAMPLE}
_log = logging.getLogger("surrogate")
_log.addHandler(
    logging.NullHandler()
)  # without a handler of the host's, Python would print warnings

SearchPath = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
OnReject = Literal["raise", "stop"] | Callable[[Any, Rejection], Any]


class Surrogate:
    """An opened bundle. Made by :meth:`open`; close it, or use it in a ``with`` statement.

    Examples
    --------
    >>> model = Surrogate.open("flow.surrogate")                             # doctest: +SKIP
    >>> try:
    ...     state = model.predict(state)                    # t += model.time_step
    ... except Rejected:
    ...     state = solver.advance(state, model.time_step)  # the solver steps itself
    """

    def __init__(self, native: _native.Model) -> None:
        self._native = native
        self.info: Info = Info(**native.info())
        """What was opened, and what it accepts."""
        self.fields: tuple[FieldInfo, ...] = tuple(FieldInfo(**entry) for entry in native.fields())
        """The fields of a state, in the manifest's order."""
        self.parameters: tuple[ParameterInfo, ...] = tuple(
            ParameterInfo(**entry) for entry in native.parameters()
        )
        """The scalar parameters, in the manifest's order."""
        self._layout = Layout(self.fields, self.info.spatial_rank)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        engine: str = "auto",
        program: str | None = None,
        device: str = "cpu",
        precision: str | None = None,
        threads: int = 0,
        verify: Literal["hashes", "example"] = "hashes",
        guards: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        engine_path: SearchPath | None = None,
        engine_options: Mapping[str, Any] | None = None,
        overlay: str | os.PathLike[str] | None = None,
        record_calls: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Open a bundle; what the library has to say goes to the logger ``surrogate``.

        Parameters
        ----------
        path : path or str
            The folder ``NAME.surrogate``, or the name of a bundle that comes with the package.
        engine : str
            ``torch``, ``stub``, ``python``, or ``auto``: that of the fastest program that can run.
            ``auto`` never runs Python code of a bundle; ``python`` does, in this interpreter.
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
            A recording of input and output of every accepted prediction, for
            ``surrogate verify BUNDLE --replay FILE``; closing the model finishes it. A call that cannot
            be stored is counted in `statistics`, logged once, and predicts as ever.

        Raises
        ------
        SurrogateError
            Its subclasses: NotFoundError, CorruptError, SchemaError, EngineError, ArgumentError.
        """
        options = _open_options(
            engine=engine,
            program=program,
            device=device,
            precision=precision,
            threads=threads,
            verify=verify,
            guards=guards,
            engine_path=engine_path,
            engine_options=engine_options,
            overlay=overlay,
            record_calls=record_calls,
        )
        return cls(_native.Model.open(os.fsencode(find_bundle(path)), options))

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
        return cls(_native.Model.open_memory(list(files.items()), _open_options(**options)))

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
            members ``member + b * members``, …
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
        at = Step(step, time, parameters, seed, member)
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
        step, time, parameters, seed, member, history, units
            As in :meth:`predict`, for the first frame; `step` and `time` go on counting.

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
        at = Step(step, time, parameters, seed, member)
        reads = self._reads(state, history, units)  # of the frames behind us, newest first
        frames: Any = state.empty(steps)
        done = 0
        while done < steps:
            status, count = self._native.rollout(
                state.writes_many(state.frame(frames, slice(done, steps))),
                reads,
                steps - done,
                self._options(at, state, ahead=done),
            )
            reads = self._shifted(state, frames, range(done, done + count), reads)
            done += count
            if status != _native.REJECTED:
                break
            refused = Rejected(_native.last_error(), self._rejection())
            if on_reject == "stop":
                return state.wrap(state.frame(frames, slice(done)))
            if not callable(on_reject):
                raise refused
            latest = state.frame(frames, done - 1) if done else state.current
            state.store(state.frame(frames, done), on_reject(state.wrap(latest), refused.rejection))
            reads = self._shifted(state, frames, range(done, done + 1), reads)
            done += 1
        return state.wrap(frames)

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

    @property
    def time_step(self) -> float:
        """``t2 - t1``, in ``info.time_unit``."""
        return self.info.time_step

    @property
    def statistics(self) -> Statistics:
        """Counters since open."""
        return Statistics(**self._native.statistics())

    @property
    def last_rejection(self) -> Rejection | None:
        """What the last rejection was about; None if nothing was ever rejected."""
        rejection = self._rejection()
        return None if rejection.reason == "NONE" else rejection

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._native.closed

    def close(self) -> None:
        """Free what the model holds; takes effect when a prediction of another thread returns."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        info = self.info
        names = ", ".join(field.name for field in self.fields)
        state = "closed" if self.closed else f"{info.engine}/{info.program} on {info.device}"
        jump = quantity_text(info.time_step, info.time_unit)
        return f"<Surrogate {info.name}: fields {names}; time step {jump}; {state}>"

    def _reads(
        self, state: State, history: Sequence[Any], units: Mapping[str, str] | None
    ) -> list[_native.Part]:
        """The frames that the program reads, newest first."""
        if len(history) != self.info.history - 1:
            raise ArgumentError(
                f"history: {len(history)} older frames given; this model reads "
                f"{self.info.history - 1} beside the newest"
            )
        older: list[Any] = [state_of(frame, self._layout, units) for frame in history]
        states: list[Any] = [state, *older]
        return [entry.reads(entry.current) for entry in states]

    def _shifted(
        self, state: Any, frames: Any, new: range, reads: list[_native.Part]
    ) -> list[_native.Part]:
        """The frames to read after the frames `new` were added."""
        added = [state.reads(state.frame(frames, index)) for index in reversed(new)]
        return [*added, *reads][: self.info.history]

    def _ensemble(self, state: Any, reads: list[_native.Part], members: int, at: Step) -> Ensemble:
        mean, spread = state.empty(), state.blank() if members > 1 else None
        writes = None if spread is None else state.writes(spread)
        self._accept(
            self._native.predict_ensemble(
                state.writes(mean), writes, reads, self._options(at, state, members=members)
            )
        )
        return Ensemble(state.wrap(mean), None if spread is None else state.wrap(spread), members)

    def _options(
        self, at: Step, state: State, *, members: int = 1, ahead: int = 0
    ) -> _native.StepOptions:
        return at.options(
            self.parameters,
            members=members,
            ahead=ahead,
            dt=self.time_step,
            stream=state.stream,
        )

    def _accept(self, status: int) -> None:
        if status == _native.REJECTED:
            raise Rejected(_native.last_error(), self._rejection())

    def _rejection(self) -> Rejection:
        facts = self._native.last_rejection()
        facts["reason"] = facts["reason"].removeprefix("SURROGATE_REASON_")
        return Rejection(**facts)


def _open_options(
    *,
    engine: str = "auto",
    program: str | None = None,
    device: str = "cpu",
    precision: str | None = None,
    threads: int = 0,
    verify: str = "hashes",
    guards: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    engine_path: SearchPath | None = None,
    engine_options: Mapping[str, Any] | None = None,
    overlay: str | os.PathLike[str] | None = None,
    record_calls: str | os.PathLike[str] | None = None,
) -> _native.OpenOptions:
    if verify not in _VERIFY:
        raise ArgumentError(f"verify={verify!r}; expected 'hashes' or 'example'")
    return _native.OpenOptions(
        engine=engine,
        program=program,
        device=device,
        precision=precision,
        threads=threads,
        verify=_VERIFY[verify],
        guards=_guards_text(guards),
        engine_path=_search_path(engine_path),
        engine_options=None if engine_options is None else json.dumps(engine_options),
        overlay=None if overlay is None else os.fspath(overlay),
        log=_forward_log,
        record_calls=None if record_calls is None else os.fsencode(record_calls),
    )


def _guards_text(guards: Mapping[str, Any] | str | os.PathLike[str] | None) -> str | None:
    if guards is None or isinstance(guards, str):
        return guards
    return json.dumps(dict(guards)) if isinstance(guards, Mapping) else os.fspath(guards)


def _search_path(folders: SearchPath | None) -> str | None:
    if folders is None or isinstance(folders, str):
        return folders
    if isinstance(folders, os.PathLike):
        return os.fspath(folders)
    return ":".join(os.fspath(folder) for folder in folders)


def _forward_log(level: int, text: str) -> None:
    _log.log(_LEVELS.get(level, logging.INFO), "%s", text)
