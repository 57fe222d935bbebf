"""Times of solar observations: ``2011.02.16_08:00:00_TAI`` as hours since 1970-01-01 00:00 TAI, and back.

TAI has no leap seconds, so the difference of two such times is the calendar's.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from surrogate.errors import ArgumentError

_EPOCH = datetime(1970, 1, 1)
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
    seconds = (whole - _EPOCH).total_seconds() + float(found[7] or 0)
    return seconds / 3600


def format_tai(hours: float) -> str:
    """The time to whole seconds, as in the keyword T_REC."""
    time = _EPOCH + timedelta(seconds=round(hours * 3600))
    return time.strftime("%Y.%m.%d_%H:%M:%S_TAI")
