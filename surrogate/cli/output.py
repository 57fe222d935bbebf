"""How commands print: JSON for programs, tables for people, one line for errors."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error; wide where it goes to a file, so that nothing is cut."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 160, highlight=False)


def emit_json(value: Any) -> None:
    """Print one JSON document; numbers that JSON does not know become null."""
    print(json.dumps(_plain(value), indent=2, allow_nan=False))


def fail(text: str, *, code: int) -> NoReturn:
    """Print one line to standard error and leave."""
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def table(*headings: str, title: str | None = None) -> Table:
    """An empty table in the house style."""
    result = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        result.add_column(heading, overflow="fold")
    return result


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
