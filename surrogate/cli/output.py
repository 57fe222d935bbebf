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

_JSON = "surrogate.json"  # key in the data that nested contexts share
OK, REJECTED = "SURROGATE_OK", "SURROGATE_REJECTED"  # statuses by their names in C


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


def failure(status: str, reason: str | None, text: str) -> dict[str, Any]:
    """What ``--json`` tells where a command fails.

    `status` is the name in C (``SURROGATE_REJECTED``, ``SURROGATE_ERROR_SHAPE``), or ``FAILED`` where a check did
    not pass; `reason` is the guard's or the check's name.
    """
    return {"status": status, "reason": reason, "text": text}


def note_json(ctx: typer.Context, value: bool) -> bool:
    """Remember that ``--json`` was given, for failures that are printed outside the command."""
    ctx.meta[_JSON] = value
    return value


def json_wanted(ctx: Any) -> bool:
    """Whether the command that ran under `ctx` was given ``--json``."""
    return bool(ctx.meta.get(_JSON))


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
