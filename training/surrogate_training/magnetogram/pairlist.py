"""``pairs.csv``: pairs of cubes, a row a pair. Paths are relative to the folder of the list."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from surrogate.errors import ArgumentError, CorruptError, NotFoundError
from surrogate.io.tai import format_time, parse_time
from surrogate.whole import written_whole

COLUMNS = ("region", "t1", "t2", "dt_hours", "file1", "file2")
NAME = "pairs.csv"


@dataclass(frozen=True)
class Pair:
    """Two cubes of one region.

    Attributes
    ----------
    region : str
        The active region.
    t1, t2 : datetime
        TAI.
    file1, file2 : Path
        The cubes; absolute, or relative to the working folder.
    """

    region: str
    t1: datetime
    t2: datetime
    file1: Path
    file2: Path

    @property
    def hours(self) -> float:
        """Time from t1 to t2."""
        return (self.t2 - self.t1).total_seconds() / 3600


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write a list; it gets its name when it is complete.

    Raises
    ------
    ArgumentError
        If there is no pair.
    """
    if not pairs:
        raise ArgumentError(f"{path}: no pairs to write")
    folder = path.parent.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial, partial.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for pair in pairs:
            files = (os.path.relpath(f.resolve(), folder) for f in (pair.file1, pair.file2))
            table.writerow(
                [
                    pair.region,
                    format_time(pair.t1),
                    format_time(pair.t2),
                    f"{pair.hours:.10g}",
                    *files,
                ]
            )


def read_pairs(path: Path) -> list[Pair]:
    """Read a list, or the ``pairs.csv`` of a folder; further columns are ignored.

    Raises
    ------
    NotFoundError
        If there is no such list.
    CorruptError
        If a column or a value is missing, or there is no pair.
    """
    path = path / NAME if path.is_dir() else path
    if not path.is_file():
        raise NotFoundError(f"{path}: no such list; make it with `surrogate data pair`")
    with path.open(newline="") as file:
        table = csv.DictReader(file)
        if missing := [c for c in COLUMNS if c not in (table.fieldnames or ())]:
            raise CorruptError(
                f"{path}: no column {missing[0]!r}; expected {','.join(COLUMNS)} in its first line"
            )
        pairs = [_pair(row, path, number) for number, row in enumerate(table, 2)]
    if not pairs:
        raise CorruptError(f"{path}: holds no pair; make it again with `surrogate data pair`")
    return pairs


def _pair(row: dict[str, str], path: Path, line: int) -> Pair:
    try:
        times = parse_time(row["t1"]), parse_time(row["t2"])
        files = path.parent / row["file1"], path.parent / row["file2"]
    except (ArgumentError, TypeError, AttributeError) as error:
        raise CorruptError(f"{path}, line {line}: {error}") from error
    return Pair(row["region"], *times, *files)
