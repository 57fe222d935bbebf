"""Captions of frames: out of a table beside the data, or by the recipe's rule from what the files hold."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from surrogate.errors import CorruptError, FieldError, NotFoundError
from surrogate.io.frames import Frames
from surrogate.text import words
from surrogate.whole import written_whole
from surrogate_training.config import Captions, Data, Phrase
from surrogate_training.data.runs import Place, Run, open_data

COLUMNS = ("file", "trajectory", "frame", "caption")
Key = tuple[Path, int | None, int | None]
"""File, trajectory and frame of a row; None: all of them."""

_MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "rms": lambda u: float(np.sqrt(np.mean(np.square(u, dtype=np.float64)))),
    "mean": lambda u: float(np.mean(u, dtype=np.float64)),
    "largest": lambda u: float(np.max(np.abs(u))),
}


def write_captions(path: Path, captions: Mapping[Place, str]) -> None:
    """Write a table of captions by frame; it gets its name when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for place, caption in captions.items():
            where = place.file.resolve().relative_to(path.parent.resolve())
            table.writerow([where.as_posix(), place.trajectory, place.frame, caption])


def read_captions(
    runs: Sequence[Run], frames: Collection[tuple[int, int]], data: Data
) -> dict[tuple[int, int], str]:
    """Captions of frames, each given as (number of its run, number of the frame in it).

    Raises
    ------
    NotFoundError
        If there is no such table.
    CorruptError
        If the table lacks a column or a number.
    ValueError
        If a frame has no caption, or one with too many words, or the rule asks for what a file does not hold.
    """
    config = data.captions
    if config is None:
        return {}
    places = {key: runs[key[0]].places[key[1]] for key in sorted(set(frames))}
    found = (
        _listed(Path(config.file), places.values())
        if config.file
        else _made(config, places.values(), data)
    )
    for place, caption in found.items():
        count = len(words(caption))
        if not 0 < count <= config.length:
            raise ValueError(
                f"{place.file.name} trajectory {place.trajectory} frame {place.frame}: caption {caption!r} has {count} "
                f"words, expected 1 to data.captions.length ({config.length})"
            )
    return {key: found[place] for key, place in places.items()}


def check_vocabulary(captions: Collection[str], config: Captions) -> None:
    """Refuse captions of a training set with words that the vocabulary lacks.

    Raises
    ------
    ValueError
        With the vocabulary to set.
    """
    used = {word for caption in captions for word in words(caption)}
    known = config.text.vocabulary[2:]
    if lacking := sorted(used - set(known)):
        raise ValueError(
            f"data.captions.vocabulary lacks {', '.join(lacking[:5])} of training's captions: set it to "
            f"[{', '.join([*known, *lacking])}]"
        )


def _listed(table: Path, places: Collection[Place]) -> dict[Place, str]:
    """What the table says of each place; a row of the very frame before one of all frames."""
    rows = _rows(table)
    found = {}
    for place in places:
        file = place.file.resolve()
        keys: tuple[Key, ...] = (
            (file, place.trajectory, place.frame),
            (file, place.trajectory, None),
            (file, None, place.frame),
            (file, None, None),
        )
        caption = next((rows[key] for key in keys if key in rows), None)
        if caption is None:
            raise ValueError(
                f"{table} has no caption of {place.file.name} trajectory {place.trajectory} frame {place.frame}: add a "
                "row, or leave the file out"
            )
        found[place] = caption
    return found


def _rows(table: Path) -> dict[Key, str]:
    if not table.is_file():
        raise NotFoundError(f"{table}: no such table of captions; set data.captions.file")
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := [c for c in COLUMNS if c not in (reader.fieldnames or ())]:
            raise CorruptError(
                f"{table}: no column {missing[0]!r}; expected {','.join(COLUMNS)} in its first line"
            )
        return dict(_row(row, table, line) for line, row in enumerate(reader, 2))


def _row(row: dict[str, str], table: Path, line: int) -> tuple[Key, str]:
    try:
        trajectory, frame = (int(row[c]) if row[c] else None for c in ("trajectory", "frame"))
        return ((table.parent / row["file"]).resolve(), trajectory, frame), row["caption"]
    except (ValueError, TypeError) as error:
        raise CorruptError(f"{table}, line {line}: {error}") from error


def _made(config: Captions, places: Collection[Place], data: Data) -> dict[Place, str]:
    """What the rule says of each place; every file is opened once."""
    by_file: dict[Path, list[Place]] = {}
    for place in places:
        by_file.setdefault(place.file, []).append(place)
    found = {}
    for file, of_file in by_file.items():
        with open_data(file, data) as stored:
            for place in of_file:
                parts = (_phrase(phrase, stored, place) for phrase in config.rule)
                found[place] = " ".join(part for part in parts if part)
    return found


def _phrase(phrase: Phrase, stored: Frames, place: Place) -> str:
    try:
        if phrase.scalar:
            value = float(stored.scalar(phrase.scalar)[place.frame])
        else:
            frame = stored.read(
                phrase.field, place.frame, place.frame + 1, trajectory=place.trajectory
            )
            value = _MEASURES[phrase.measure](frame)
    except FieldError as error:
        raise ValueError(f"{error}; data.captions.rule asks for it") from error
    return phrase.words[bisect_right(phrase.edges, value)]
