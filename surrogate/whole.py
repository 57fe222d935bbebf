"""Files that get their name when they are complete: a process that dies leaves no half file to be taken for a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from surrogate.errors import NotFoundError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write under; the file gets its own when that went well, else nothing stays.

    Raises
    ------
    NotFoundError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise NotFoundError(f"{path}: no folder {path.parent}; make it, or write elsewhere")
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write or replace a file of text, UTF-8."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write or replace a file of JSON, readable by people."""
    write_text(path, json.dumps(content, indent=2) + "\n")
