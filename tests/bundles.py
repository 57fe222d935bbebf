"""Small bundles made for tests: the stub engine's, and TorchScript programs with known answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from surrogate.bundle.folder import write_bundle


def manifest(
    name: str,
    fields: list[dict[str, Any]],
    programs: list[dict[str, Any]],
    multiple_of: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """A 2-D periodic manifest without its ``files``; `more` overrides any key."""
    return {
        "name": name,
        "fields": fields,
        "grid": {
            "axes": ["y", "x"],
            "multiple_of": [multiple_of] * 2,
            "minimum_shape": [multiple_of] * 2,
            "boundary": ["periodic"] * 2,
        },
        "time": {"step": 0.5, "unit": "s"},
        "locality": {"receptive_field": [0, 0], "stride": [1, 1]},
        "programs": programs,
        **more,
    }


def field(
    name: str,
    *,
    components: int = 1,
    mean: float = 0.0,
    std: float = 1.0,
    scale: float = 1.0,
    **more: Any,
) -> dict[str, Any]:
    """A predicted field (increment), or a condition field with ``prediction=None``."""
    return {
        "name": name,
        "components": components,
        "normalisation": {"mean": [mean] * components, "std": [std] * components},
        "prediction": {
            "kind": "increment",
            "scale": [scale] * components,
            "offset": [0.0] * components,
        },
        **more,
    }


def stub_bundle(
    folder: Path, fields: list[dict[str, Any]], program: dict[str, Any], **more: Any
) -> Path:
    """A bundle run by the stub engine; `program` is its JSON (see bindings/engines/stub)."""
    programs = [{"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}]
    files = {"programs/stub.json": json.dumps(program).encode()}
    write_bundle(
        folder, files, **manifest(folder.name.removesuffix(".surrogate"), fields, programs, **more)
    )
    return folder
