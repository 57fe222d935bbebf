"""Times of solar observations: ``2011.02.16_08:00:00_TAI`` as hours since 1970-01-01 00:00 TAI.

TAI has no leap seconds, so the difference of two such times is the calendar's.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from surrogate.errors import ArgumentError

_EPOCH = datetime(1970, 1, 1)  # TAI is no time zone that datetime knows
_TIME = re.compile(
    r"^(\d{4})\.(\d{2})\.(\d{2})_(\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?_TAI$", re.ASCII
)
UNIT = "h"


def parse_tai(text: str) -> float:
    """Hours since 1970-01-01 00:00 TAI.

    Raises
    ------
    ArgumentError
        If the text is no such time; UTC is not converted.
    """
    found = _TIME.match(text.strip())
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        whole = datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise ArgumentError(
            f"{text!r} is no time in TAI; expected, for instance, 2011.02.16_08:00:00_TAI"
        ) from None
    return hours(whole) + float(found[7] or 0) / 3600


def hours(time: datetime) -> float:
    """Hours since 1970-01-01 00:00, both TAI."""
    return (time - _EPOCH) / timedelta(hours=1)
