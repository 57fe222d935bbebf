"""Checkpoints: written to a temporary name and renamed, so that a killed run never leaves half a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LAST = "last.pt"
FINAL = "final.pt"


@dataclass
class State:
    """Everything that a resumed run needs; order, augmentation and noise follow from ``step``."""

    step: int
    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Any]


def save(state: State, path: Path) -> None:
    """Write a checkpoint atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(vars(state), partial)
    partial.replace(path)


def load(path: Path, *, device: str = "cpu") -> State:
    """Read a checkpoint (tensors and plain values only; nothing is unpickled beyond them).

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: the run has not written a checkpoint yet")
    return State(**torch.load(path, map_location=device, weights_only=True))


def latest(run: Path) -> Path:
    """The final checkpoint of a run if it has one, else the last."""
    final = run / "checkpoints" / FINAL
    return final if final.is_file() else run / "checkpoints" / LAST
