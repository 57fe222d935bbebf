"""Guards as data: when a state or a frame is refused. Each state of a batch and each component is judged by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from surrogate.bundle.data import Data, NotNegative

KeepOrReject = Literal["reject", "keep"]


class Bounds(Data):
    """Allowed values, of a field or of a ratio; None: unbounded on that side."""

    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower bound {self.lower} is above upper bound {self.upper}")
        return self


class RangeGuard(Data):
    """Of the input: largest share of cells outside ``fields[].trained_range``."""

    share: NotNegative


class StatisticsGuard(Data):
    """Of the input: largest |z| of its mean and standard deviation, from ``fields[].trained_statistics``."""

    distance: NotNegative


class ConservedGuard(Data):
    """Of the frame: largest ``|sum u(t2) - sum u(t1)| / sum |u(t1)|`` of a conserved field."""

    tolerance: NotNegative


class SpreadGuard(Data):
    """Of an ensemble: largest rms of the standard deviation over members, over ``fields[].trained_jump``."""

    upper: NotNegative


class Policies(Data):
    """What is done with a state that breaks a guard.

    ``reject`` it; ``keep`` it and count it; ``clip`` values of the frame to the nearest bound; ``project``: take the
    mean of the increment from every conserved field, whatever its size, so that the integral stays.
    """

    finite: KeepOrReject = "reject"
    bounds: Literal["reject", "keep", "clip"] = "reject"
    range: KeepOrReject = "reject"
    statistics: KeepOrReject = "reject"
    conserved: Literal["reject", "keep", "project"] = "reject"
    jump: KeepOrReject = "reject"
    spread: KeepOrReject = "reject"


class Guards(Data):
    """When a frame is refused. Bounds hold for every component of a field, in input and output."""

    finite: bool = True
    bounds: dict[str, Bounds] = Field(default_factory=dict)
    range: RangeGuard | None = None
    statistics: StatisticsGuard | None = None
    conserved: ConservedGuard | None = None
    jump: Bounds | None = None
    """Of the frame: rms of the increment over ``fields[].trained_jump``."""
    spread: SpreadGuard | None = None
    policy: Policies = Field(default_factory=Policies)

    def replaced(self, overrides: Mapping[str, Any]) -> Guards:
        """These guards after the `guards` of open: a key that is given replaces one of these, None removes it.

        Raises
        ------
        pydantic.ValidationError
            If the result is no guards.
        """
        return Guards.model_validate(_merged(self.model_dump(), overrides))


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in overrides.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            result[key] = _merged(base[key], value)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result
