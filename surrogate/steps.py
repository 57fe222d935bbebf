"""What belongs to one step, from Python's keywords to the options of libsurrogate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from surrogate import _native
from surrogate.bundle.names import GUIDANCE
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
    steps: int | None
    guidance: float | None
    caption: str | None


@dataclass(frozen=True)
class Step:
    """The step of one call; the attributes are the keywords of :meth:`Surrogate.predict`."""

    step: int | None = None
    time: float | None = None
    parameters: Parameters | None = None
    seed: int = 0
    member: int = 0
    steps: int | None = None
    guidance: float | None = None
    caption: str | None = None

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
        if self.steps is not None and self.steps < 1:
            raise ArgumentError(f"steps={self.steps}; expected 1 or more, or None: the preset")
        return _native.StepOptions(
            step=None if self.step is None else self.step + ahead,
            time=None if self.time is None else self.time + ahead * dt,
            parameters=_values(self.parameters, known, self.guidance),
            seed=self.seed,
            member=self.member,
            members=members,
            stream=stream,
            steps=self.steps or 0,
            guidance=self.guidance,
            caption=_caption(self.caption),
        )


_PLAIN = Step()


def _caption(caption: str | None) -> bytes | None:
    """As a string of C: what is not ASCII stands between words, and so does a NUL."""
    return None if caption is None else caption.replace("\0", " ").encode("ascii", "replace")


def _values(
    parameters: Parameters | None, known: Sequence[ParameterInfo], guidance: float | None
) -> list[float] | None:
    """The parameters in the manifest's order; without guidance where that is given by itself."""
    if not isinstance(parameters, Mapping):
        return None if parameters is None else [float(value) for value in parameters]
    presets = {entry.name: entry.preset for entry in known}
    unknown = sorted(set(parameters) - set(presets))
    if unknown:
        raise ParameterError(
            f"no parameter {unknown[0]!r}; this model has {list(presets) or 'none'}"
        )
    if guidance is not None and GUIDANCE in parameters:
        raise ParameterError(
            f"guidance={guidance:g} given, and {parameters[GUIDANCE]:g} in parameters; give it once"
        )
    if guidance is not None:
        presets.pop(GUIDANCE, None)
    return [float(parameters.get(name, preset)) for name, preset in presets.items()]
