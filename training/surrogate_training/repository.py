"""The folder that paths in a recipe are relative to."""

from __future__ import annotations

from pathlib import Path


def find_root(start: Path) -> Path:
    """The repository around a path: what paths in a recipe are relative to.

    The nearest folder at or above ``start`` that holds a ``pyproject.toml``; without one, the working folder.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return Path.cwd()
