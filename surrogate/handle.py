"""An opened bundle: what it says of itself, and what its predictions have in common on one rank and on many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from surrogate import _native
from surrogate.closing import Closing
from surrogate.errors import ArgumentError, Rejected, Rejection
from surrogate.facts import FieldInfo, Info, ParameterInfo, Statistics, quantity_text
from surrogate.state import Layout, State, state_of
from surrogate.steps import Step

if TYPE_CHECKING:
    from surrogate import _native_mpi

OnReject = Literal["raise", "stop"] | Callable[[Any, Rejection], Any]
Reads: TypeAlias = "list[_native.Part]"


Native = TypeVar("Native", bound="_native.Model | _native_mpi.Model")


class Handle(Closing, Generic[Native]):
    """What :class:`Surrogate` and :class:`surrogate.mpi.DistributedSurrogate` are besides their predictions."""

    def __init__(self, native: Native) -> None:
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

    def __repr__(self) -> str:
        info = self.info
        names = ", ".join(field.name for field in self.fields)
        state = "closed" if self.closed else f"{info.engine}/{info.program} on {info.device}"
        jump = quantity_text(info.time_step, info.time_unit)
        return f"<{type(self).__name__} {info.name}: fields {names}; time step {jump}; {state}>"

    def _rejection(self) -> Rejection:
        facts = self._native.last_rejection()
        facts["reason"] = facts["reason"].removeprefix("SURROGATE_REASON_")
        return Rejection(**facts)

    def _accept(self, status: int) -> None:
        if status == _native.REJECTED:
            raise Rejected(_native.last_error(), self._rejection())

    def _reads(
        self, state: State, history: Sequence[Any], units: Mapping[str, str] | None
    ) -> Reads:
        """The frames that the program reads, newest first."""
        if len(history) != self.info.history - 1:
            raise ArgumentError(
                f"history: {len(history)} older frames given; this model reads "
                f"{self.info.history - 1} beside the newest"
            )
        older: list[Any] = [state_of(frame, self._layout, units) for frame in history]
        states: list[Any] = [state, *older]
        return [entry.reads(entry.current) for entry in states]

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

    def _roll(
        self,
        state: Any,
        reads: Reads,
        steps: int,
        on_reject: OnReject,
        advance: Callable[[Any, Reads, int], tuple[int, int]],
    ) -> Any:
        """The loop of a rollout; `advance` predicts into frames, from what it reads, with so many frames done.

        It returns the status and how many frames it wrote.
        """
        frames: Any = state.empty(steps)
        done = 0
        while done < steps:
            status, count = advance(state.frame(frames, slice(done, steps)), reads, done)
            reads = self._shifted(state, frames, range(done, done + count), reads)
            done += count
            if status != _native.REJECTED:
                continue
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

    def _shifted(self, state: Any, frames: Any, new: range, reads: Reads) -> Reads:
        """The frames to read after the frames `new` were added."""
        added = [state.reads(state.frame(frames, index)) for index in reversed(new)]
        return [*added, *reads][: self.info.history]
