"""Checkpoints: whole or not there.

A file is written beside its place, flushed to the disk and renamed, so a killed run or a full disk leaves the one
before; reading checks the sums that torch's format (a zip archive) keeps of every tensor.
"""

from __future__ import annotations

import contextlib
import math
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch
from torch import Tensor

LAST = "last.pt"
FINAL = "final.pt"
BEST = "best.pt"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written or read; the text names the file and what to do."""


@dataclass
class State:
    """Everything that a resumed run needs; order, augmentation and noise follow from ``step``.

    Attributes
    ----------
    step : int
        Steps done.
    networks, optimisers : dict of str to dict
        State of each of the method's networks and of its optimiser.
    average : dict of str to Tensor
        The averaged generator.
    best : dict of str to float
        Of :class:`surrogate_training.trainer.best.Best`.
    scaler : dict
        Of fp16's gradients; else empty.
    stopped : bool
        Whether early stopping has ended the run.
    """

    step: int
    networks: dict[str, dict[str, Tensor]]
    average: dict[str, Tensor]
    optimisers: dict[str, dict[str, Any]]
    best: dict[str, float]
    scaler: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False


class _Sink:
    """A file for torch.save that remembers the system's error: torch replaces it by one of its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.stream.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.stream.flush()


def save(state: State, path: Path) -> None:
    """Write a checkpoint atomically: see :func:`write`."""
    write(vars(state), path)


def write(tree: dict[str, Any], path: Path) -> None:
    """Write tensors and plain values atomically.

    Raises
    ------
    CheckpointError
        If it cannot be written, for instance on a full disk; a file that was there stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    sink: _Sink | None = None
    try:
        with partial.open("wb") as stream:
            sink = _Sink(stream)
            torch.save(tree, cast("IO[bytes]", sink))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)  # gives a full disk its space back
        reason = (sink and sink.error) or error
        kept = "the one before is kept as it was" if path.is_file() else "none was there before"
        raise CheckpointError(
            f"checkpoint {path} cannot be written: {reason}; {kept}. Free space on its disk (or raise the limit on "
            "file sizes), then continue with --resume"
        ) from error


def load(path: Path, *, device: str | torch.device = "cpu") -> State:
    """Read a checkpoint (tensors and plain values only; nothing is unpickled beyond them).

    Raises
    ------
    FileNotFoundError
        If there is none.
    CheckpointError
        If it is damaged, or of another version.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: the run has not written a checkpoint yet")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        damaged = str(error)
    if damaged is not None:
        others = [p.name for p in (path.with_name(n) for n in (LAST, BEST, FINAL)) if p.is_file()]
        beside = ", ".join(name for name in others if name != path.name) or "no other"
        raise CheckpointError(
            f"checkpoint {path} is damaged ({damaged}): it was cut short or changed after it was written. "
            f"Copy it from a backup, or put another one in its place (beside it: {beside}), or train into a new folder"
        )
    tree = torch.load(path, map_location=device, weights_only=True)
    try:
        return State(**_of_one_network(tree))
    except TypeError as error:
        raise CheckpointError(
            f"checkpoint {path} was written by another version of surrogate ({error}): use that version, or train again"
        ) from error


def _of_one_network(tree: dict[str, Any]) -> dict[str, Any]:
    """The layout that runs of version 0.1 have, such as the published one: a model and its optimiser, no more."""
    if set(tree) != {"step", "model", "average", "optimiser"}:
        return tree
    return {
        "step": tree["step"],
        "networks": {"generator": tree["model"]},
        "average": tree["average"],
        "optimisers": {"generator": tree["optimiser"]},
        "best": {"value": math.inf, "reference": math.inf, "stale": 0},
    }


def latest(run: Path) -> Path:
    """The final checkpoint of a run if it has one, else the last."""
    final = run / "checkpoints" / FINAL
    return final if final.is_file() else run / "checkpoints" / LAST


def _sync_folder(folder: Path) -> None:
    """Flush a folder's entries: the rename itself must survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
