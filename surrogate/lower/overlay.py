"""The overlay: a user's folder of programs made for one machine, beside the read-only bundles.

    <overlay>/<32 hex of the manifest's SHA-256>/<NAME>/program.json     one program, its files beside it
    <overlay>/<32 hex of the manifest's SHA-256>/timings-<host>.json     the bundle's own programs, timed here

libsurrogate reads it at open (bindings/core/overlay.cpp).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from surrogate.bundle.folder import MANIFEST, file_entries
from surrogate.compilation import cache_dir
from surrogate.errors import ArgumentError
from surrogate.whole import write_json

SCHEMA, HASH_DIGITS, ENTRY = 1, 32, "program.json"


def overlay_folder(given: Path | None = None) -> Path:
    """The overlay that is given, else ``$SURROGATE_OVERLAY``, else ``surrogate/overlay`` in the user's cache.

    Raises
    ------
    ArgumentError
        If none is given and the variable is set and empty, by which libsurrogate too means: no overlay.
    """
    if given is not None:
        return given
    named = os.environ.get("SURROGATE_OVERLAY")
    if named == "":
        raise ArgumentError(
            "lower: SURROGATE_OVERLAY is empty, which means no overlay; unset it, set it to a folder, or give --out"
        )
    return Path(named) if named else cache_dir() / "overlay"


def bundle_hash(folder: Path) -> str:
    """SHA-256 of the bundle's manifest, which holds those of all its files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def bundle_overlay(overlay: Path, bundle: str) -> Path:
    """Folder of one bundle's programs."""
    return overlay / bundle[:HASH_DIGITS]


def write_entry(
    overlay: Path, bundle: str, name: str, fill: Callable[[Path], None], facts: Mapping[str, Any]
) -> Path:
    """Write a program, or nothing: into a folder beside it, renamed at the end. One of that name is replaced.

    Parameters
    ----------
    overlay : Path
    bundle : str
        SHA-256 of the manifest.
    name : str
        Of the entry's folder.
    fill : callable
        Puts the program's files into the folder that it is given.
    facts : mapping
        ``program``, ``path``, ``host``, ``gate``, ``timings``.
    """
    parent = bundle_overlay(overlay, bundle)
    parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=parent))
    try:
        fill(partial)
        files = {key: entry.model_dump() for key, entry in file_entries(partial).items()}
        text = json.dumps({"schema": SCHEMA, "bundle": bundle, **facts, "files": files}, indent=2)
        (partial / ENTRY).write_text(text + "\n", encoding="utf-8")
        partial.chmod(0o755)
        _replace(partial, parent / name)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return parent / name


def _replace(partial: Path, final: Path) -> None:
    """Put a whole folder in the place of another; a reader sees the old one, none, or the new one."""
    if final.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=final.parent))
        final.rename(old / "entry")
        partial.rename(final)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(final)


def write_timings(
    overlay: Path, bundle: str, key: str, host: Mapping[str, Any], timings: Mapping[str, Any]
) -> None:
    """Write how fast the bundle's own programs are on this machine, beside what stands there of other programs."""
    folder = bundle_overlay(overlay, bundle)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"timings-{key}.json"
    before = _timings_of(path, host)
    write_json(path, {"host": host, "timings": {**before, **timings}})


def _timings_of(path: Path, host: Mapping[str, Any]) -> dict[str, Any]:
    """Timings that stand there of this host; none where there are none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found["timings"]) if found["host"] == host else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def read_entries(overlay: Path, bundle: str) -> list[dict[str, Any]]:
    """What stands in the overlay of one bundle: each program's ``program.json``, with its ``folder``."""
    entries = []
    for path in sorted(bundle_overlay(overlay, bundle).glob(f"*/{ENTRY}")):
        if not path.parent.name.startswith("."):
            entry = json.loads(path.read_text(encoding="utf-8"))
            entries.append({**entry, "folder": str(path.parent)})
    return entries
