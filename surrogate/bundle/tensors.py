"""safetensors files with numpy alone: a length, a JSON header, the bytes. Nothing is ever executed.

Format: https://huggingface.co/docs/safetensors (8 bytes little-endian length, header, data).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4"}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def encode_tensors(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Content of a safetensors file.

    Raises
    ------
    ValueError
        If an array is neither float32, float64, int32 nor int64.
    """
    header: dict[str, Any] = {}
    blocks: list[bytes] = []
    start = 0
    for name, array in tensors.items():
        code = array.dtype.newbyteorder("<").str
        if code not in _NAMES:
            raise ValueError(
                f"{name}: dtype {array.dtype}; expected one of float32, float64, int32, int64"
            )
        block = np.ascontiguousarray(array, dtype=code).tobytes()
        header[name] = {
            "dtype": _NAMES[code],
            "shape": list(array.shape),
            "data_offsets": [start, start + len(block)],
        }
        blocks.append(block)
        start += len(block)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *blocks])


def decode_tensors(content: bytes, label: str = "safetensors") -> dict[str, NDArray[Any]]:
    """Arrays of a safetensors file, read-only views of `content`.

    Raises
    ------
    ValueError
        If the file is damaged or holds a dtype that no bundle uses.
    """
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > len(content) - 8:
        raise ValueError(
            f"{label}: {len(content)} bytes are too few for its header; the file is damaged, copy it again"
        )
    try:
        header = json.loads(content[8 : 8 + size])
        header.pop("__metadata__", None)
        return {name: _tensor(content, 8 + size, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{label}: no valid safetensors file ({error}); copy or export it again"
        ) from error


def _tensor(content: bytes, base: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    block = memoryview(content)[base + begin : base + end]
    if len(block) != end - begin:
        raise ValueError(f"data ends at byte {len(content)}, expected {base + end}")
    return np.frombuffer(block, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])


def read_tensors(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Arrays of a safetensors file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged.
    """
    return decode_tensors(Path(path).read_bytes(), str(path))


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write a safetensors file."""
    Path(path).write_bytes(encode_tensors(tensors))
