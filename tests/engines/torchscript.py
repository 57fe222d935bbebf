"""TorchScript bundles with known answers, and where the torch engine is."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from bundles import field, manifest
from compiling import LIBRARY

from surrogate import paths
from surrogate.bundle.folder import write_bundle

PROGRAM = {
    "name": "torchscript",
    "engine": "torch",
    "format": "torchscript",
    "file": "programs/torchscript.pt",
}


def engine_folder() -> Path:
    """Folder of the compiled torch engine, or a skip that says how to make it."""
    listed = [
        Path(folder) for folder in os.environ.get("SURROGATE_ENGINE_PATH", "").split(":") if folder
    ]
    for folder in [*listed, LIBRARY, paths.library_dir()]:
        if any(folder.glob("libsurrogate_engine_torch-*.so")):
            return folder
    pytest.skip("the torch engine is missing: surrogate engine build torch")


def bundle_of(folder: Path, program: bytes, *, channels: int = 1, **more: Any) -> Path:
    """A bundle of one field of `channels` components, predicted as an increment, not normalised."""
    fields = [field("u", components=channels)]
    name = folder.name.removesuffix(".surrogate")
    write_bundle(folder, {PROGRAM["file"]: program}, **manifest(name, fields, [PROGRAM], **more))
    return folder


def traced(module: Any, *, channels: int = 1, size: int = 16) -> bytes:
    """A module as the bytes of a TorchScript file."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scripted_bytes(torch.jit.trace(module.eval(), torch.zeros(1, channels, size, size)))


def scripted_bytes(script: Any) -> bytes:
    """What ``torch.jit.save`` writes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(script.save_to_buffer())
