"""Mean and spread over the members of a stochastic model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ensemble:
    """What :meth:`Surrogate.predict` returns for several members.

    Attributes
    ----------
    mean : array or dict of arrays
        Over the members, in the form of the state, in the manifest's units.
    spread : array or dict of arrays, or None
        Standard deviation over the members (divisor ``members - 1``), cell by cell; None for one
        member. A field that is read and never predicted is the array that was given in a dict, and
        zero in one array of channels.
    members : int
        Their number.
    """

    mean: Any
    spread: Any
    members: int
