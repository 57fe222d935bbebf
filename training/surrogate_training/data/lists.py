"""Lists of pairs: ``pairs.csv``, a row a pair, as ``surrogate data pair`` and ``split`` write them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from surrogate.errors import ArgumentError, NotFoundError
from surrogate.io.tai import parse_tai

COLUMNS = ("region", "t1", "t2", "dt_hours", "file1", "file2")


@dataclass(frozen=True)
class Row:
    """One pair.

    Attributes
    ----------
    region : str
        The active region; pairs of one region are never split.
    t1, t2 : float
        Hours since 1970-01-01 TAI.
    dt : float
        Hours from t1 to t2.
    file1, file2 : Path
        A file of one frame each.
    """

    region: str
    t1: float
    t2: float
    dt: float
    file1: Path
    file2: Path


def read_list(path: Path) -> list[Row]:
    """The rows of a ``pairs.csv``; columns beyond the six are ignored.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ValueError
        If columns are missing, a row is wrong, or there is none; the text says where and what to do.
    """
    if not path.is_file():
        raise NotFoundError(
            f"{path}: no such list of pairs; surrogate data pair and split make one"
        )
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise ValueError(
                f"{path} has no column {lacking[0]!r}; its first line must be {','.join(COLUMNS)}"
            )
        rows = [_row(path, reader.line_num, values) for values in reader]
    if not rows:
        raise ValueError(
            f"{path} lists no pair: pair with a larger --tolerance or other --hours, or split with another --ratio"
        )
    return rows


def hold_out(rows: Sequence[Row], every: int = 10) -> tuple[list[Row], list[Row]]:
    """Rows without every tenth region (at least one), and that region's rows.

    Raises
    ------
    ValueError
        If there is one region only.
    """
    regions = sorted({row.region for row in rows})
    if len(regions) < 2:
        raise ValueError(
            f"the list for training has the region {regions[0]} alone, so none can be held out of it for validation: "
            "give data.pairs.validation, or more regions"
        )
    held = set(regions[every - 1 :: every]) or {regions[-1]}
    return [r for r in rows if r.region not in held], [r for r in rows if r.region in held]


def _row(path: Path, line: int, values: dict[str, str]) -> Row:
    texts = {name: (values.get(name) or "").strip() for name in COLUMNS}
    empty = [name for name, text in texts.items() if not text]
    if empty:
        raise ValueError(f"{path}, line {line}: {empty[0]} is empty")
    try:
        t1, t2, dt = parse_tai(texts["t1"]), parse_tai(texts["t2"]), float(texts["dt_hours"])
    except ArgumentError as error:
        raise ValueError(f"{path}, line {line}: {error}") from error
    except ValueError as error:
        raise ValueError(
            f"{path}, line {line}: dt_hours is {texts['dt_hours']!r}; expected hours"
        ) from error
    if not t2 > t1 or not dt > 0:
        raise ValueError(
            f"{path}, line {line}: t2 ({texts['t2']}) must be later than t1 ({texts['t1']})"
        )
    first, second = (path.parent / texts[name] for name in ("file1", "file2"))
    return Row(texts["region"], t1, t2, dt, first, second)
