"""Times as JSOC writes them: TAI, exact, as naive :class:`datetime.datetime`.

TAI has no leap seconds, so differences of such times are seconds that passed. UTC is converted with the leap seconds
that astropy knows (IERS Bulletin C).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from surrogate.errors import ArgumentError
from surrogate.io.optional import need

_EPOCH = datetime(1970, 1, 1)  # of the hours that readers count

HOURS = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0, "day": 24.0}
"""Hours of a unit of time."""

_TEXT = re.compile(
    r"(?P<date>\d{4}[.-]\d\d[.-]\d\d|\d{8})"
    r"(?:[T_ ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d*)?)?|\d{6}))?"
    r"[_ ]?(?P<scale>TAI|UTC|UT|Z)?"
)


def parse_time(text: str, *, scale: str = "TAI") -> datetime:
    """Read a time.

    Parameters
    ----------
    text : str
        ``2011.02.16_08:00:00_TAI``, ``2011-02-16T07:59:26.300Z``, ``20110216_080000_TAI``; seconds, or the whole
        time of day, may be missing.
    scale : {"TAI", "UTC"}
        What a text without ``_TAI``, ``_UTC`` or ``Z`` means.

    Returns
    -------
    datetime
        TAI, without time zone.

    Raises
    ------
    ArgumentError
        If it is no such text, or no date of the calendar.
    """
    found = _TEXT.fullmatch(text.strip())
    if not found:
        raise ArgumentError(
            f"{text!r} is no time; expected 2011.02.16_08:00:00_TAI or 2011-02-16T08:00:00Z"
        )
    digits = re.sub(r"\D", "", found["date"])
    date = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    clock = found["time"] or "00:00:00"
    clock = clock if ":" in clock else f"{clock[:2]}:{clock[2:4]}:{clock[4:]}"
    clock = clock if clock.count(":") == 2 else f"{clock}:00"
    try:
        if (found["scale"] or scale).startswith("U") or found["scale"] == "Z":
            return _from_utc(f"{date}T{clock}")
        whole, _, fraction = clock.partition(".")
        micro = timedelta(microseconds=round(float(f"0.{fraction or 0}") * 1e6))
        return datetime.fromisoformat(f"{date}T{whole}") + micro
    except ValueError as error:
        raise ArgumentError(f"{text!r} is no time: {error}") from error


def format_time(time: datetime) -> str:
    """The text of a time as JSOC's T_REC has it: ``2011.02.16_08:00:00_TAI``."""
    fraction = f".{time.microsecond:06d}".rstrip("0") if time.microsecond else ""
    return f"{time:%Y.%m.%d_%H:%M:%S}{fraction}_TAI"


def compact_time(time: datetime) -> str:
    """The text that JSOC's file names have: ``20110216_080000_TAI``."""
    return f"{time:%Y%m%d_%H%M%S}_TAI"


def utc_text(time: datetime) -> str:
    """The same instant in UTC, as FITS' DATE-OBS has it: ``2011-02-16T07:59:26.000Z``."""
    made = _astropy().Time(time.isoformat(), scale="tai", precision=3)
    return f"{made.utc.isot}Z"


def hours(time: datetime) -> float:
    """Hours since 1970-01-01 00:00, both TAI."""
    return (time - _EPOCH) / timedelta(hours=1)


def _from_utc(text: str) -> datetime:
    time = _astropy().Time(text, scale="utc", precision=6)
    return datetime.fromisoformat(time.tai.isot)


def _astropy() -> Any:
    return need("astropy.time", extra="fits", what="UTC")
