"""Frames in one ``.npy`` array: (ny, nx), (frames, ny, nx) or (frames, components, ny, nx), memory-mapped."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from surrogate.errors import NotFoundError, ShapeError
from surrogate.io.arrays import COMPONENT, TIME, ArrayFrames, Source, reading

_AXES = {2: ("y", "x"), 3: (TIME, "y", "x"), 4: (TIME, COMPONENT, "y", "x")}
FIELD = "u"


def open_npy(path: str | os.PathLike[str]) -> ArrayFrames:
    """Open an array as one field ``u``; frames are 0, 1, 2, … in time.

    Raises
    ------
    NotFoundError
        If there is no such file.
    CorruptError
        If it is truncated, or holds no array of numbers.
    ShapeError
        If it has another number of axes.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such file")
    with reading(path):
        values = np.load(path, mmap_mode="r", allow_pickle=False)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"type {values.dtype}; expected real numbers")
    if values.ndim not in _AXES:
        raise ShapeError(
            f"{path} has shape {values.shape}; expected (ny, nx), (frames, ny, nx) or (frames, components, ny, nx)"
        )
    return ArrayFrames(path, {FIELD: Source(values, _AXES[values.ndim])})
