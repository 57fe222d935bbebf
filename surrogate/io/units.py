"""Units as texts: whether two of them say the same."""

from __future__ import annotations

import re

# what solar data calls its units: flux density in Mx/cm^2 is the gauss
_SAME = {
    "gauss": "G",
    "mx/cm^2": "G",
    "mxcm^-2": "G",
    "ms^-1": "m/s",
    "ms-1": "m/s",
    "hours": "h",
    "hour": "h",
    "seconds": "s",
    "sec": "s",
    "": "1",
    "dimensionless": "1",
}


def same_unit(one: str, other: str) -> bool:
    """Whether two texts name one unit; blanks, ``**``, and a few long names make no difference."""
    return _short(one) == _short(other)


def _short(unit: str) -> str:
    text = re.sub(r"[\s*.]+(?=[A-Za-z])|\s+", "", unit.strip().replace("**", "^"))
    return _SAME.get(text.lower(), text)
