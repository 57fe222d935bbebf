"""Packages that only some readers need: imported late, with one error that names the extra to install."""

from __future__ import annotations

import importlib
from typing import Any

from surrogate.errors import UnsupportedError


def need(module: str, *, extra: str, what: str) -> Any:
    """Import a module.

    Raises
    ------
    UnsupportedError
        If it is not installed, naming the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(
            f"{what} needs {module.partition('.')[0]} ({error}); install the extra [{extra}]: "
            f"pip install 'surrogate[{extra}]'"
        ) from error
