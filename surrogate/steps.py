"""What belongs to one step, from Python's keywords to the options of libsurrogate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from surrogate import _native
from surrogate.errors import ArgumentError, ParameterError
from surrogate.facts import ParameterInfo

Parameters = Mapping[str, float] | Sequence[float]
_PLAIN_STEP = _native.StepOptions()


class StepKeywords(TypedDict, total=False):
    """Keywords of :meth:`Surrogate.predict` that say which step it is."""

    step: int | None
    time: float | None
    parameters: Parameters | None
    seed: int
    member: int


@dataclass(frozen=True)
class Step:
    """The step of one call; the attributes are the keywords of :meth:`Surrogate.predict`."""

    step: int | None = None
    time: float | None = None
    parameters: Parameters | None = None
    seed: int = 0
    member: int = 0

    def options(
        self,
        known: Sequence[ParameterInfo],
        *,
        members: int = 1,
        ahead: int = 0,
        dt: float = 0.0,
        stream: int = 0,
    ) -> _native.StepOptions:
        """The options of libsurrogate, `ahead` steps of `dt` later; `stream` is a ``cudaStream_t``.

        Raises
        ------
        ArgumentError
            If a number is negative.
        ParameterError
            If a parameter is unknown.
        """
        if self == _PLAIN and members == 1 and stream == 0:
            return _PLAIN_STEP
        for name, value in (("step", self.step), ("seed", self.seed), ("member", self.member)):
            if value is not None and value < 0:
                raise ArgumentError(f"{name}={value}; expected 0 or more")
        return _native.StepOptions(
            step=None if self.step is None else self.step + ahead,
            time=None if self.time is None else self.time + ahead * dt,
            parameters=_values(self.parameters, known),
            seed=self.seed,
            member=self.member,
            members=members,
            stream=stream,
        )


_PLAIN = Step()


def _values(parameters: Parameters | None, known: Sequence[ParameterInfo]) -> list[float] | None:
    if not isinstance(parameters, Mapping):
        return None if parameters is None else [float(value) for value in parameters]
    presets = {entry.name: entry.preset for entry in known}
    unknown = sorted(set(parameters) - set(presets))
    if unknown:
        raise ParameterError(
            f"no parameter {unknown[0]!r}; this model has {list(presets) or 'none'}"
        )
    return [float(parameters.get(name, preset)) for name, preset in presets.items()]
