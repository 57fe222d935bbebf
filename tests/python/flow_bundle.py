"""Bundles of the stub engine whose answer is known by hand, and states for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from bundles import field, manifest

from surrogate.bundle.folder import write_bundle
from surrogate.bundle.tensors import encode_tensors

SCALE, OFFSET = [0.5, -0.25, 2.0], [0.1, 0.0, -0.3]


def affine(scale: list[float], offset: list[float] | None = None, **more: Any) -> dict[str, Any]:
    """A program of the stub engine: output channel c = scale[c] * input channel c + offset[c]."""
    return {
        "operation": "affine",
        "scale": scale,
        "offset": offset or [0.0] * len(scale),
        "channels": list(range(len(scale))),
        **more,
    }


FLOW_FIELDS = [
    field("rho", unit="kg m-3", mean=1.5, std=0.5, scale=0.25),
    field("v", unit="m s-1", components=2, mean=0.1, std=2.0, scale=0.75),
    field("mask", prediction=None),
]


def flow_state(dtype: str = "float64", ny: int = 6, nx: int = 8, seed: int = 0) -> np.ndarray:
    """A state of `flow`, shape (4, ny, nx)."""
    return np.random.default_rng(seed).normal(1.0, 0.5, (4, ny, nx)).astype(dtype)


def named(state: np.ndarray) -> dict[str, np.ndarray]:
    """The same as named arrays: views."""
    return {"rho": state[0], "v": state[1:3], "mask": state[3]}


def flow_next(state: np.ndarray) -> np.ndarray:
    """What `flow` predicts, written out by hand in float64."""
    u = state.astype(np.float64)
    mean, std = np.array([1.5, 0.1, 0.1]), np.array([0.5, 2.0, 2.0])
    x = (u[:3] - mean[:, None, None]) / std[:, None, None]
    y = np.roll(x, (1, -2), axis=(1, 2))
    y = np.array(SCALE)[:, None, None] * y + np.array(OFFSET)[:, None, None]
    u[:3] += np.array([0.25, 0.75, 0.75])[:, None, None] * y
    return u


def sealed_with_example(folder: Path, tolerance: float = 1e-6, wrong: float = 0.0) -> Path:
    """`flow` again, with an example pair whose expected output is off by `wrong`."""
    x = np.random.default_rng(1).normal(size=(1, 4, 6, 8)).astype("float32")
    y = np.roll(x[:, :3], (1, -2), axis=(2, 3)) * np.array(SCALE, "float32").reshape(1, 3, 1, 1)
    y = (y + np.array(OFFSET, "float32").reshape(1, 3, 1, 1) + wrong).astype("float32")
    programs = [{"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}]
    files = {
        "programs/stub.json": json.dumps(affine(SCALE, OFFSET, shift=[1, -2])).encode(),
        "example.safetensors": encode_tensors({"input": x, "expected": y}),
    }
    example = {"file": "example.safetensors", "tolerance": tolerance}
    write_bundle(folder, files, **manifest("flow", FLOW_FIELDS, programs, example=example))
    return folder
