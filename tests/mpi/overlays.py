"""Overlays of stub programs, made without the package: a program that was lowered for this machine, or for another."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any


def _cpuinfo(key: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def write_entry(overlay: Path, bundle: Path, stub: dict[str, Any], **host: Any) -> Path:
    """The entry `fast` with the stub program `stub`; `host` overrides what it says of its machine."""
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    folder = overlay / digest[:32] / "fast"
    folder.mkdir(parents=True)
    package = json.dumps(stub).encode()
    (folder / "package").write_bytes(package)
    flags = (_cpuinfo("flags") or _cpuinfo("Features")).split()
    entry = {
        "schema": 1,
        "bundle": digest,
        "path": "package",
        "files": {
            "package": {"bytes": len(package), "sha256": hashlib.sha256(package).hexdigest()}
        },
        "program": {
            "name": "fast",
            "engine": "stub",
            "format": "stub",
            "device": "cpu",
            "precision": "fp32",
            "made_with": "stub 1",
        },
        "timings": [{"threads": 1, "batch": 1, "shape": [8, 12], "milliseconds": 0.25}],
        "host": {
            "cpu": _cpuinfo("model name") or platform.machine(),
            "isa": flags[:1],
            **host,
        },
    }
    (folder / "program.json").write_text(json.dumps(entry))
    return folder
