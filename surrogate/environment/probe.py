"""Run as ``python -m surrogate.environment.probe engine PATH | torch | mpi``: load what may take the process down.

Prints one JSON object. A process of its own, so that a broken library breaks nothing else.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENGINE_ABI = 3


class _Error(ctypes.Structure):
    _fields_ = (("text", ctypes.c_char_p), ("size", ctypes.c_size_t))


class _Engine(ctypes.Structure):
    """The head of ``surrogate_engine`` (bindings/engines/engine.h)."""

    _fields_ = (("abi", ctypes.c_uint32), ("name", ctypes.c_char_p), ("version", ctypes.c_char_p))


def probe_engine(path: str) -> dict[str, Any]:
    """Name and version of an engine plugin, or why it cannot be loaded."""
    try:
        entry = ctypes.CDLL(path).surrogate_engine_entry
    except (OSError, AttributeError) as error:
        return {"error": str(error)}
    text = ctypes.create_string_buffer(1024)
    failure = _Error(ctypes.cast(text, ctypes.c_char_p), len(text))
    engine = ctypes.POINTER(_Engine)()
    status = entry(ctypes.byref(engine), ctypes.c_uint32(ENGINE_ABI), ctypes.byref(failure))
    if status != 0 or not engine:
        return {"error": text.value.decode(errors="replace") or f"status {status}"}
    return {
        "abi": engine.contents.abi,
        "name": engine.contents.name.decode(),
        "version": engine.contents.version.decode(),
    }


def probe_torch() -> dict[str, Any]:
    """Version, devices, threads and OpenMP runtime of torch."""
    import torch

    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.is_file() else []
    files = {line.split()[-1] for line in lines if "omp" in line.rpartition("/")[2]}
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda if torch.cuda.is_available() else None,
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "mkldnn": torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
        "openmp": sorted(files),
    }


def probe_mpi() -> dict[str, Any]:
    """The MPI of libsurrogate_mpi, that of mpi4py, and why they cannot be used together."""
    from surrogate.mpi.library import facts

    return {**facts()}


if __name__ == "__main__":
    probes: dict[str, Callable[..., dict[str, Any]]] = {
        "engine": probe_engine,
        "torch": probe_torch,
        "mpi": probe_mpi,
    }
    found = probes[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(json.dumps(found))
