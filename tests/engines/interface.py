"""The engine interface (bindings/engines/engine.h) by ctypes, to ask an engine what libsurrogate does not ask yet."""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ABI = 3
DTYPES = {np.dtype(np.float32): 1, np.dtype(np.float64): 2}
INFINITE = float("inf")


class Failure(c.Structure):
    _fields_ = (("text", c.c_char_p), ("size", c.c_size_t))


class Load(c.Structure):
    _fields_ = (
        *((name, c.c_char_p) for name in ("format", "path", "data")),
        ("size", c.c_size_t),
        ("device", c.c_char_p),
        ("threads", c.c_int32),
        ("output_count", c.c_int32),
        ("options", c.c_char_p),
        ("host_environment", c.c_void_p),
        ("entry", c.c_char_p),
        ("input_count", c.c_int32),
        ("method", c.c_char_p),
        ("sibling", c.c_void_p),
    )


class Source(c.Structure):
    _fields_ = (
        ("data", c.c_void_p),
        ("batch_stride", c.c_int64),
        ("strides", c.c_int64 * 3),
        *((name, c.c_double) for name in ("mean", "inverse", "lower", "upper")),
        *((name, c.c_double) for name in ("trained_lower", "trained_upper")),
    )


class Target(c.Structure):
    _fields_ = (
        ("data", c.c_void_p),
        ("batch_stride", c.c_int64),
        ("strides", c.c_int64 * 3),
        ("source", c.c_int32),
        ("increment", c.c_int32),
        *((name, c.c_double) for name in ("offset", "scale", "lower", "upper")),
        ("clip", c.c_int32),
    )


class Layout(c.Structure):
    _fields_ = (
        *((name, c.c_int32) for name in ("dtype", "memory", "device", "rank")),
        ("batch", c.c_int64),
        ("shape", c.c_int64 * 3),
        ("sources", c.POINTER(Source)),
        ("source_count", c.c_int32),
        ("targets", c.POINTER(Target)),
        ("target_count", c.c_int32),
        ("finite", c.c_int32),
        ("moments", c.c_int32),
        ("shifts", c.POINTER(c.c_double)),
    )


class Sums(c.Structure):
    _fields_ = (
        *((name, c.c_double) for name in ("not_finite", "out_of_bounds", "outside")),
        *((name, c.c_double) for name in ("sum", "square", "absolute")),
        ("offender", c.c_int64),
        ("offending", c.c_double),
    )


class Engine(c.Structure):
    _fields_ = (
        ("abi", c.c_uint32),
        ("name", c.c_char_p),
        ("version", c.c_char_p),
        *((name, c.c_void_p) for name in ("load", "run", "destroy", "device_run", "device_write")),
    )


_LOAD = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_void_p), c.POINTER(Load), c.POINTER(Failure))
_DESTROY = c.CFUNCTYPE(None, c.c_void_p)
_RUN = c.CFUNCTYPE(
    c.c_int,
    *[c.c_void_p, c.POINTER(Sums), c.POINTER(Sums), c.POINTER(Layout)],
    *[c.c_void_p, c.c_int32, c.c_void_p, c.POINTER(Failure)],
)
_WRITE = c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(Layout), c.c_void_p, c.POINTER(Failure))


class Program:
    """A TorchScript program in the torch engine, called as libsurrogate calls it."""

    def __init__(self, engine: Path, script: bytes) -> None:
        self._text = c.create_string_buffer(4096)
        self._failure = Failure(c.cast(self._text, c.c_char_p), len(self._text))
        found = c.POINTER(Engine)()
        entry = c.CDLL(str(engine)).surrogate_engine_entry
        self._check(entry(c.byref(found), c.c_uint32(ABI), c.byref(self._failure)))
        self._engine = found.contents
        request = Load(
            format=b"torchscript", device=b"cpu", threads=1, output_count=1, input_count=1
        )
        request.data, request.size = script, len(script)
        self._handle = c.c_void_p()
        load = _LOAD(self._engine.load)
        self._check(load(c.byref(self._handle), c.byref(request), c.byref(self._failure)))

    def run(self, layout: Layout, sources: Sequence[Sums], targets: Sequence[Sums]) -> None:
        """Pack, run and count."""
        call = _RUN(self._engine.device_run)
        none = (None, 0, None, c.byref(self._failure))
        self._check(call(self._handle, sources, targets, c.byref(layout), *none))

    def write(self, layout: Layout) -> None:
        """Write the frame of the last run."""
        call = _WRITE(self._engine.device_write)
        self._check(call(self._handle, c.byref(layout), None, c.byref(self._failure)))

    def close(self) -> None:
        """Free the program."""
        _DESTROY(self._engine.destroy)(self._handle)

    def _check(self, status: int) -> None:
        if status != 0:
            raise RuntimeError(f"status {status}: {self._text.value.decode()}")


def channel(
    kind: type[Source] | type[Target], array: np.ndarray, **values: float
) -> Source | Target:
    """One channel over an array of shape (B, ny, nx); no limits unless given."""
    limits = {"lower": -INFINITE, "upper": INFINITE}
    if kind is Source:
        limits |= {"trained_lower": -INFINITE, "trained_upper": INFINITE, "inverse": 1.0}
    else:
        limits |= {"scale": 1.0, "increment": 1}
    made = kind(data=array.ctypes.data, batch_stride=array.strides[0], **(limits | values))
    made.strides[:2] = array.strides[1:]
    return made


def layout_of(
    array: np.ndarray, sources: list[Source], targets: list[Target], **more: int
) -> Layout:
    """What the channels of a call share; `array` holds them, (B, C, ny, nx)."""
    made = Layout(
        dtype=DTYPES[array.dtype],
        rank=2,
        batch=array.shape[0],
        sources=(Source * len(sources))(*sources),
        source_count=len(sources),
        targets=(Target * len(targets))(*targets),
        target_count=len(targets),
        **more,
    )
    made.shape[:] = [*array.shape[2:], 1]
    return made
