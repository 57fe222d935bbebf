"""A bundle as a folder: hashing, sealing, checking.

The folder holds ``manifest.json`` and the files that it names; nothing in it is ever unpickled by the run time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from surrogate.bundle.manifest import FileEntry, Manifest
from surrogate.errors import CorruptError, NotFoundError
from surrogate.paths import SUFFIX

__all__ = ["MANIFEST", "SUFFIX", "check_bundle", "file_entries", "file_entry", "write_bundle"]

MANIFEST = "manifest.json"


def file_entry(path: Path) -> FileEntry:
    """Size and SHA-256 of one file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileEntry(bytes=path.stat().st_size, sha256=digest)


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Entries of every file below `folder` except the manifest, by their path with ``/``."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {
        name: file_entry(path) for name, path in zip(names, paths, strict=True) if name != MANIFEST
    }


def write_bundle(
    folder: str | os.PathLike[str], files: Mapping[str, bytes | Path], **manifest: object
) -> Manifest:
    """Write a whole bundle, or nothing: files first into a folder beside it, renamed at the end.

    Parameters
    ----------
    folder : path
        The bundle, ``NAME.surrogate``; an older one of that name is replaced.
    files : mapping of str to bytes or Path
        Content, or the file to copy, by path inside the bundle.
    **manifest
        The keys of :class:`Manifest` but ``files``, which is filled here.

    Raises
    ------
    ValueError
        If the manifest is not valid.
    """
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_bytes(content)
        sealed = Manifest.model_validate({**manifest, "files": file_entries(partial)})
        sealed.write(partial / MANIFEST)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return sealed


def check_bundle(folder: str | os.PathLike[str]) -> Manifest:
    """Read the manifest and check the size and hash of every file that it names.

    Raises
    ------
    NotFoundError
        If the folder, the manifest or a file of it is missing (a FileNotFoundError).
    CorruptError, SchemaError
        If the manifest is not valid, or of a newer schema, or a file differs from its entry
        (both ValueErrors).
    """
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise NotFoundError(f"{folder}: no bundle here (expected a folder with {MANIFEST})")
    manifest = Manifest.read(folder / MANIFEST)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise NotFoundError(f"{folder}: {name} is missing; copy the bundle again")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CorruptError(
                f"{folder}: {name} is a link that leaves the bundle, to {path.resolve()}; "
                "copy the bundle with its files in place of links"
            )
        found = file_entry(path)
        if found != expected:
            raise CorruptError(
                f"{folder}: {name} has {found.bytes} bytes and SHA-256 {found.sha256[:12]}…, the manifest says "
                f"{expected.bytes} and {expected.sha256[:12]}…; the bundle is damaged or was edited: "
                "copy or export it again"
            )
    return manifest
