"""What can go wrong, as exceptions: one class a status of the C API, each also Python's natural kind.

Three outcomes, not two: a frame, :class:`Rejected` (a guard refused it; the solver steps itself), or an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from surrogate import _native


class SurrogateError(Exception):
    """Something broke; the output is untouched and the model can still be used.

    Attributes
    ----------
    status : int
        Status of the C API (``enum surrogate_status``), negative.
    text : str
        Where, what was given, what was expected, what to do.
    """

    code: ClassVar[int] = -99
    status: int
    text: str

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = self.code if status is None else status

    def __str__(self) -> str:
        return self.text


class ArgumentError(SurrogateError, ValueError):
    """A value out of range, or a model that is closed."""

    code = -1


class NotFoundError(SurrogateError, FileNotFoundError):
    """The bundle, or a file of it, does not exist or cannot be read."""

    code = -2


class CorruptError(SurrogateError, ValueError):
    """A truncated file, a hash mismatch or an invalid manifest."""

    code = -3


class SchemaError(SurrogateError, ValueError):
    """The manifest was written for a newer version."""

    code = -4


class ShapeError(SurrogateError, ValueError):
    """Rank, shape or strides do not fit the grid rule or one another."""

    code = -5


class DtypeError(SurrogateError, TypeError):
    """A dtype that is not supported, or fields of different dtypes."""

    code = -6


class FieldError(SurrogateError, KeyError):
    """A field that is unknown, missing, named twice, or of another number of components."""

    code = -7


class UnitError(SurrogateError, ValueError):
    """A unit that is given and does not fit the manifest's."""

    code = -8


class OverlapError(SurrogateError, ValueError):
    """Input and output share memory without being the same array."""

    code = -9


class EngineError(SurrogateError, RuntimeError):
    """An engine is missing, built for another version, or unable to load the program."""

    code = -10


class ExecutionError(SurrogateError, RuntimeError):
    """The program failed while running."""

    code = -11


class OutOfMemoryError(SurrogateError, MemoryError):
    """No memory left."""

    code = -12


class UnsupportedError(SurrogateError, NotImplementedError):
    """Valid, but not implemented by this build or program."""

    code = -13


class ParameterError(SurrogateError, ValueError):
    """Scalar parameters missing, unknown or out of their range, or ``step`` missing."""

    code = -14


class WriteError(SurrogateError, OSError):
    """A recording cannot be written: disk full, no permission, folder missing."""

    code = -15


class SilentRankError(SurrogateError, TimeoutError):
    """A rank was silent for longer than the deadline."""

    code = -16


class MPIError(SurrogateError, RuntimeError):
    """A call of MPI failed."""

    code = -17


class InternalError(SurrogateError, RuntimeError):
    """A defect of the library: please report the text."""

    code = -99


@dataclass(frozen=True)
class Rejection:
    """Why a guard refused a state.

    Attributes
    ----------
    reason : str
        ``INPUT_NOT_FINITE``, ``OUTPUT_NOT_FINITE``, ``INPUT_OUT_OF_BOUNDS``, ``OUTPUT_OUT_OF_BOUNDS``: of one value;
        ``INPUT_OUT_OF_RANGE``, ``INPUT_UNLIKE_TRAINING``, ``NOT_CONSERVED``, ``JUMP_OUT_OF_RANGE``,
        ``SPREAD_TOO_LARGE``: of a number made of sums over all cells.
    field : str or None
        Name of the field; None: none in particular.
    component : int
        Component of that field.
    cell : tuple of int
        First offending cell, slowest axis first; zeros for a number made of sums.
    batch : int
        Index of the state in a batch.
    value, lower, upper : float
        The offending value and the bounds it broke, in the field's unit; or that number and its limits.
    call : int
        Number of the call that was rejected, from 1; 0: not known, of many ranks.
    rank : int or None
        Of many ranks the lowest that holds an offending value (`cell` counts in the whole domain then); -1: a sum over
        all of them broke the guard. None: of one process.
    """

    reason: str
    field: str | None
    component: int
    cell: tuple[int, ...]
    value: float
    lower: float
    upper: float
    batch: int = 0
    call: int = 0
    rank: int | None = None


class Rejected(Exception):  # noqa: N818 - an outcome, not an error: the solver goes on by itself
    """A guard refused the input or the predicted frame; the output is untouched.

    Attributes
    ----------
    rejection : Rejection
        The whole finding; its `reason`, `field`, `component`, `cell` and `value` stand here too.
    """

    def __init__(self, text: str, rejection: Rejection) -> None:
        super().__init__(text)
        self.rejection = rejection

    @property
    def reason(self) -> str:
        """Why, for instance ``INPUT_NOT_FINITE``."""
        return self.rejection.reason

    @property
    def field(self) -> str | None:
        """Name of the field."""
        return self.rejection.field

    @property
    def component(self) -> int:
        """Component of that field."""
        return self.rejection.component

    @property
    def cell(self) -> tuple[int, ...]:
        """First offending cell, slowest axis first."""
        return self.rejection.cell

    @property
    def rank(self) -> int | None:
        """The rank that holds it, of many; None: of one process."""
        return self.rejection.rank

    @property
    def value(self) -> float:
        """The offending value, in the field's unit."""
        return self.rejection.value


BY_STATUS: dict[int, type[SurrogateError]] = {
    kind.code: kind
    for kind in (
        ArgumentError,
        NotFoundError,
        CorruptError,
        SchemaError,
        ShapeError,
        DtypeError,
        FieldError,
        UnitError,
        OverlapError,
        EngineError,
        ExecutionError,
        OutOfMemoryError,
        UnsupportedError,
        ParameterError,
        WriteError,
        SilentRankError,
        MPIError,
        InternalError,
    )
}


def make_error(status: int, text: str) -> SurrogateError:
    """The exception of a status of the C API."""
    return BY_STATUS.get(status, SurrogateError)(text, status)


_native.make_error = make_error
