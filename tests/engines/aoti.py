"""AOTInductor packages of tiny programs, compiled once a session, and overlay entries around them.

An entry is written here as `surrogate lower` writes it, so that the library's reading is tested by itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from surrogate.environment.machine import cpu_model

FORMAT = "aoti"


def compiled(module: Any, folder: Path, *, channels: int = 1) -> Path:
    """A module as a ``.pt2`` file for any grid; takes seconds."""
    torch = pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: apt-get install g++")
    height, width = (
        torch.export.Dim("height", min=2, max=512),
        torch.export.Dim("width", min=2, max=512),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(
            module.eval(),
            (torch.zeros(1, channels, 16, 16),),
            dynamic_shapes=({2: height, 3: width},),
        )
        path = folder / "program.pt2"
        torch._inductor.aoti_compile_and_package(exported, package_path=str(path))
    return path


def unpacked(package: Path, folder: Path) -> Path:
    """The package's files in `folder`, as the loader takes them."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    (inner,) = folder.iterdir()
    return inner


def write_entry(
    overlay: Path, bundle: Path, payload: Path, *, name: str = "aoti-cpu-fp32", **changes: Any
) -> Path:
    """An overlay entry of `payload` (file or folder) for `bundle`; `changes` replace keys of its program.json."""
    manifest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    folder = overlay / manifest[:32] / name
    folder.mkdir(parents=True)
    target = folder / "package"
    if payload.is_dir():
        shutil.copytree(payload, target)
    else:
        shutil.copy2(payload, target)
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    program = {
        "name": name,
        "engine": "torch",
        "format": FORMAT,
        "device": "cpu",
        "precision": "fp32",
        "made_with": "torch 2.13.0",
    }
    document = {
        "schema": 1,
        "bundle": changes.pop("bundle_hash", manifest),
        "program": program | changes.pop("program", {}),
        "path": "package",
        "files": {
            str(path.relative_to(folder)): {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in files
        },
        "host": {"isa": [], "vector": None, "cpu": cpu_model(), "compute_capability": None}
        | changes.pop("host", {}),
        "gate": {"error": {"u": 0.0}, "limit": {"u": 1.0}, "kind": "max-norm"},
        "timings": [timing(0.001)],
        **changes,
    }
    (folder / "program.json").write_text(json.dumps(document))
    return folder


def timing(milliseconds: float, *, threads: int = 1) -> dict[str, Any]:
    """One measured run of a 64² state."""
    return {
        "threads": threads,
        "shape": [64, 64],
        "batch": 1,
        "milliseconds": milliseconds,
        "spread": [milliseconds, milliseconds],
    }


def write_timings(overlay: Path, bundle: Path, timings: dict[str, Any], **host: str) -> Path:
    """Timings of the bundle's own programs on this CPU; `host` says otherwise."""
    manifest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    path = overlay / manifest[:32] / "timings-0.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"host": {"cpu": cpu_model(), **host}, "timings": timings}))
    return path
