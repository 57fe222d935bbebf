"""Frames in image files: a folder of them, sorted by name, or one; 8 or 16 bit, 32-bit integers or floats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from surrogate.errors import CorruptError, NotFoundError, ShapeError, UnsupportedError
from surrogate.io.arrays import COMPONENT, TIME, Array, ArrayFrames, Source, native, reading
from surrogate.io.optional import need

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm")
FIELD = "image"
# modes of Pillow whose arrays hold the file's own values; it cuts RGB of 16 bits to 8
_BYTES = dict.fromkeys(("1", "L", "RGB", "RGBA"), "u1")
_TYPES = {**_BYTES, "I;16": "u2", "I;16B": "u2", "I": "i4", "F": "f4"}


class Stack:
    """Image files as one array (frames, [components,] ny, nx), each read when it is asked for."""

    def __init__(self, folder: Path, files: list[Path], pillow: Any) -> None:
        self._files, self._pillow = files, pillow
        first = self._size(files[0])
        for file in files:
            if (size := self._size(file)) != first:
                raise ShapeError(
                    f"{file} has {_text(size)}, but {files[0].name} has {_text(first)}: the images of "
                    f"{folder} must be alike"
                )
        mode, (nx, ny) = first
        self.shape = (len(files), *((len(mode),) if mode in ("RGB", "RGBA") else ()), ny, nx)
        self.dtype = np.dtype(_TYPES[mode])

    def __getitem__(self, key: Any) -> Array:
        frames, *inner = key
        return np.stack([self._read(file) for file in self._files[frames]])[(slice(None), *inner)]

    def _size(self, file: Path) -> tuple[str, tuple[int, int]]:
        with reading(file), self._pillow.open(file) as image:
            mode, size = str(image.mode), image.size
            bits = image.tag_v2.get(258, (8,)) if hasattr(image, "tag_v2") else (8,)
        if mode not in _TYPES or (mode in ("RGB", "RGBA") and max(bits) > 8):
            raise UnsupportedError(
                f"{file}: an image of mode {mode} with {max(bits)} bits a channel; expected grey (8, 16 bit, float) or "
                "RGB of 8 bit; convert it to .npy"
            )
        return mode, size

    def _read(self, file: Path) -> Array:
        with reading(file), self._pillow.open(file) as image:
            values = np.asarray(image)
        values = native(values).astype(self.dtype, copy=False)
        return np.moveaxis(values, -1, 0) if values.ndim == 3 else values  # (components, ny, nx)


def open_images(path: str | os.PathLike[str]) -> ArrayFrames:
    """Open an image, or a folder of images, as one field ``image``; frames are 0, 1, 2, … in time.

    Raises
    ------
    NotFoundError
        If there is no such file, or the folder holds no image.
    ShapeError
        If sizes or kinds differ.
    UnsupportedError
        If Pillow is missing, or would cut the values to 8 bit.
    """
    path = Path(path)
    files = sorted(f for f in path.iterdir() if _is_image(f)) if path.is_dir() else [path]
    if not files:
        raise NotFoundError(f"{path} holds no image; expected files {', '.join(SUFFIXES)}")
    pillow = need("PIL.Image", extra="io", what=f"{path}: images")
    stack = Stack(path, files, pillow)
    if 0 in stack.shape:
        raise CorruptError(f"{files[0]}: an image without pixels")
    axes = (TIME, *((COMPONENT,) if len(stack.shape) == 4 else ()), "y", "x")
    return ArrayFrames(path, {FIELD: Source(stack, axes)})


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _text(size: tuple[str, tuple[int, int]]) -> str:
    mode, (nx, ny) = size
    return f"{ny} x {nx} pixels, mode {mode}"
