"""What the keywords of a magnetogram say: which region, when, which channels, in which units.

The header comes first, the file's name second. Keywords are those of HMI's SHARP series (Bobra et al. 2014) and of
the FITS standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from surrogate.errors import ArgumentError, CorruptError, FieldError, UnitError
from surrogate.io.tai import parse_time
from surrogate.io.units import canonical_unit, same_unit
from surrogate_training.magnetogram.images import Header

PATTERN = (
    r"(?:.*[._])?(?P<harp>\d{1,7})\.(?P<time>\d{8}_\d{6}_(?:TAI|UTC))(?:\.(?P<segment>\w+))?\.fits"
)
"""Names as JSOC gives them: ``hmi.sharp_cea_720s.377.20110212_000000_TAI.Br.fits``."""

_SEGMENT = re.compile(r"\.(?P<segment>[A-Za-z]\w*)\.(?:fits|fit|fts)(?:\.(?:gz|fz))?$")
_TIMES = (("T_REC", "TAI"), ("T_OBS", "TAI"), ("DATE-OBS", "UTC"))
_GROUPS = ("harp", "noaa", "region")

STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|TFIELDS|T(TYPE|FORM)\d+|THEAP|Z(IMAGE|TENSION|BITPIX|"
    r"NAXIS\d*|PCOUNT|GCOUNT|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|BLANK|SCALE|ZERO|QUANTIZ|DITHER\d*|EXTEND|SIMPLE)|EXTNAME|"
    r"BSCALE|BZERO|BLANK|CHECKSUM|DATASUM|ZHECKSUM|ZDATASUM|DATE|CONTENT|SEGMENT|"
    # statistics of one segment's pixels
    r"DATA(MIN|MAX|MEDN|MEAN|RMS|SKEW|KURT)\d?|(TOT|DATA|MISS)VALS"
)
"""Keywords of the stored numbers; a header that is carried over leaves them behind."""

_QUANTITIES = (("G", "kG", "T", "mT"), ("m/s", "cm/s", "km/s"))


@dataclass(frozen=True)
class Identity:
    """Which frame of which region a file holds.

    Attributes
    ----------
    region : str
        ``harp377``, ``noaa11158``, or what a pattern's group ``region`` found.
    time : datetime
        TAI.
    segment : str
        ``Br`` of a name ``….Br.fits``; empty where the name does not say.
    aliases : frozenset of str
        All names of the region: its HARP number and every NOAA number of its header.
    """

    region: str
    time: datetime
    segment: str
    aliases: frozenset[str]


def identify(header: Header, path: Path, *, pattern: str = PATTERN) -> Identity:
    """Find region and time in the header, else in the file's name.

    Parameters
    ----------
    header : astropy.io.fits.Header
        HARPNUM, else NOAA_AR, else the first of NOAA_ARS, else REGION; T_REC, else T_OBS, else DATE-OBS.
    path : Path
        The file, for its name and for messages.
    pattern : str
        Regular expression of the whole name, with the groups ``harp``, ``noaa`` or ``region``, and ``time``.

    Raises
    ------
    FieldError
        If neither says it.
    CorruptError
        If a keyword holds what it cannot mean.
    """
    name = _matched(path.name, pattern)
    names = _regions(header, path)
    if not names:
        names = [_region_of_name(kind, name[kind]) for kind in _GROUPS if name.get(kind)]
    if not names:
        raise FieldError(
            f"{path}: no HARPNUM, NOAA_AR or NOAA_ARS in its header, and its name does not tell the region; "
            "add one of these keywords, or give --pattern with a group (?P<region>…)"
        )
    found = _SEGMENT.search(path.name)
    return Identity(
        names[0],
        _time(header, path, name.get("time")),
        found["segment"] if found else "",
        frozenset(names),
    )


def channels(header: Header, path: Path) -> tuple[str, ...]:
    """Names of a cube's channels, from CHAN1 and those that follow.

    Raises
    ------
    FieldError
        If there are none: the file is no cube.
    """
    names: list[str] = []
    while f"CHAN{len(names) + 1}" in header:
        names.append(str(header[f"CHAN{len(names) + 1}"]))
    if not names:
        raise FieldError(
            f"{path}: no keyword CHAN1, so it is no cube; make one of it with `surrogate data cube`"
        )
    return tuple(names)


def units(header: Header, path: Path) -> tuple[str, ...]:
    """Units of a cube's channels as they are spelled there: CHUNIT1, …, else BUNIT."""
    shared = header.get("BUNIT", "1")
    count = len(channels(header, path))
    return tuple(str(header.get(f"CHUNIT{k}", shared)) for k in range(1, count + 1))


def check_units(found: Iterable[tuple[Path, str]]) -> None:
    """Refuse two units of one quantity (G beside T, m/s beside km/s) in the channels of a cube.

    Raises
    ------
    UnitError
        Naming the odd file.
    """
    first: dict[tuple[str, ...], tuple[Path, str]] = {}
    for path, unit in found:
        known = canonical_unit(unit)
        kind = next((q for q in _QUANTITIES if known in q), (known,))
        path0, unit0 = first.setdefault(kind, (path, unit))
        if not same_unit(unit, unit0):
            raise UnitError(
                f"{path}: unit {unit}, but {path0} has {unit0}; convert one of them, so that one cube has one unit "
                "of a quantity"
            )


def _regions(header: Header, path: Path) -> list[str]:
    """Names of the region, the best first."""
    names = []
    if harp := _number(header, "HARPNUM", path):
        names.append(f"harp{harp}")
    if noaa := _number(header, "NOAA_AR", path):
        names.append(f"noaa{noaa}")
    several = str(header.get("NOAA_ARS", ""))
    names += [f"noaa{int(n)}" for n in re.findall(r"\d+", several) if int(n)]
    if not names and header.get("REGION"):
        names.append(str(header["REGION"]))
    return list(dict.fromkeys(names))


def _number(header: Header, key: str, path: Path) -> int:
    """A region's number; 0: none (JSOC writes 0, MISSING or nothing)."""
    value = header.get(key)
    if value in (None, "", "MISSING") or not isinstance(value, int | float | str):
        return 0
    try:
        number = int(value)
    except ValueError:
        raise CorruptError(f"{path}: {key} = {value!r}; expected a number") from None
    return max(number, 0)


def _region_of_name(kind: str, text: str) -> str:
    return text if kind == "region" else f"{kind}{int(text)}"


def _matched(name: str, pattern: str) -> dict[str, str]:
    try:
        found = re.fullmatch(pattern, name)
    except re.error as error:
        raise ArgumentError(f"--pattern {pattern!r} is no regular expression: {error}") from error
    return {k: v for k, v in found.groupdict().items() if v} if found else {}


def _time(header: Header, path: Path, of_name: str | None) -> datetime:
    scale = str(header.get("TIMESYS", "")).upper()
    for key, usual in _TIMES:
        value = header.get(key)
        if value in (None, "", "MISSING"):
            continue
        try:
            return parse_time(str(value), scale=scale if scale in ("TAI", "UTC") else usual)
        except ArgumentError as error:
            raise CorruptError(f"{path}: {key} = {value!r}: {error}") from error
    if of_name is None:
        raise FieldError(
            f"{path}: no T_REC, T_OBS or DATE-OBS in its header, and its name does not tell the time; add T_REC, "
            "or give --pattern with a group (?P<time>…)"
        )
    return parse_time(of_name)
