"""How a bundle is opened: from Python's keywords to the options of libsurrogate; its log goes to ``surrogate``."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from surrogate import _native
from surrogate.errors import ArgumentError

SearchPath = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_LEVELS = {1: logging.INFO, 2: logging.WARNING}
_VERIFY = {"hashes": _native.VERIFY_HASHES, "example": _native.VERIFY_EXAMPLE}
_log = logging.getLogger("surrogate")
_log.addHandler(
    logging.NullHandler()
)  # without a handler of the host's, Python would print warnings


class OpenKeywords(TypedDict, total=False):
    """Keywords of :meth:`Surrogate.open` that say how a bundle is opened, on one rank or on many."""

    engine: str
    program: str | None
    device: str
    precision: str | None
    threads: int
    verify: Literal["hashes", "example"]
    guards: Mapping[str, Any] | str | os.PathLike[str] | None
    engine_path: SearchPath | None
    engine_options: Mapping[str, Any] | None
    overlay: str | os.PathLike[str] | None
    record_calls: str | os.PathLike[str] | None
    preload: bool


def open_options(
    *,
    engine: str = "auto",
    program: str | None = None,
    device: str = "cpu",
    precision: str | None = None,
    threads: int = 0,
    verify: str = "hashes",
    guards: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    engine_path: SearchPath | None = None,
    engine_options: Mapping[str, Any] | None = None,
    overlay: str | os.PathLike[str] | None = None,
    record_calls: str | os.PathLike[str] | None = None,
    preload: bool = False,
) -> _native.OpenOptions:
    """The options of libsurrogate; keywords and defaults are those of :meth:`Surrogate.open`.

    Raises
    ------
    ArgumentError
        If `verify` is neither of its two values.
    """
    if verify not in _VERIFY:
        raise ArgumentError(f"verify={verify!r}; expected 'hashes' or 'example'")
    return _native.OpenOptions(
        engine=engine,
        program=program,
        device=device,
        precision=precision,
        threads=threads,
        verify=_VERIFY[verify],
        guards=_guards_text(guards),
        engine_path=_search_path(engine_path),
        engine_options=None if engine_options is None else json.dumps(engine_options),
        overlay=None if overlay is None else os.fspath(overlay),
        log=_forward_log,
        record_calls=None if record_calls is None else os.fsencode(record_calls),
        preload=preload,
    )


def _guards_text(guards: Mapping[str, Any] | str | os.PathLike[str] | None) -> str | None:
    if guards is None or isinstance(guards, str):
        return guards
    return json.dumps(dict(guards)) if isinstance(guards, Mapping) else os.fspath(guards)


def _search_path(folders: SearchPath | None) -> str | None:
    if folders is None or isinstance(folders, str):
        return folders
    if isinstance(folders, os.PathLike):
        return os.fspath(folders)
    return ":".join(os.fspath(folder) for folder in folders)


def _forward_log(level: int, text: str) -> None:
    _log.log(_LEVELS.get(level, logging.INFO), "%s", text)
