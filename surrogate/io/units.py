"""Units as texts: whether two of them say the same."""

from __future__ import annotations

import re

# what solar data calls its units: flux density in Mx/cm^2 is the gauss
_SAME = {
    "gauss": "G",
    "kgauss": "kG",
    "tesla": "T",
    "degree": "deg",
    "degrees": "deg",
    "ms^-1": "m/s",
    "ms-1": "m/s",
    "hours": "h",
    "hour": "h",
    "seconds": "s",
    "sec": "s",
    "": "1",
    "dimensionless": "1",
}


# also at the head of a compound: Mx/cm^2/h
_MAXWELL = re.compile(r"^Mx/?cm\^?-?2", re.IGNORECASE)


def same_unit(one: str, other: str) -> bool:
    """Whether two texts name one unit; blanks, ``**``, and a few long names make no difference."""
    return canonical_unit(one) == canonical_unit(other)


def canonical_unit(unit: str) -> str:
    """One spelling of a unit: ``Mx/cm^2`` and ``Gauss`` are ``G``; what is not known stays as it is."""
    text = re.sub(r"[\s*.]+(?=[A-Za-z])|\s+", "", unit.strip().replace("**", "^"))
    text = _MAXWELL.sub("G", text)
    return _SAME.get(text.lower(), text)
