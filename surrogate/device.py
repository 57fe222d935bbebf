"""Arrays in CUDA memory: described to libsurrogate where they are, and made like the caller's; no host copies.

torch and cupy are used only where the caller has imported them; any other array is known by its
``__cuda_array_interface__``, and cannot be made here: such a caller gives ``out=``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surrogate import _native
from surrogate.errors import ArgumentError, DtypeError, UnsupportedError

CUDA_DEVICES = (2, 13)  # kDLCUDA, kDLCUDAManaged
_LEGACY_STREAM = 1  # in __cuda_array_interface__; NULL to CUDA


@dataclass(frozen=True)
class DeviceKind:
    """A library of arrays in CUDA memory.

    Attributes
    ----------
    describe : callable
        An array as libsurrogate is told of it.
    stream : callable
        The stream, a ``cudaStream_t`` as a number, on which the caller's work on an array is queued.
    empty, zeros : callable
        ``(shape, like)``: a new array of the dtype and on the device of `like`.
    """

    describe: Callable[[Any], _native.DeviceArray]
    stream: Callable[[Any], int]
    empty: Callable[[Sequence[int], Any], Any]
    zeros: Callable[[Sequence[int], Any], Any]


class InterfaceArray:
    """An array that is known by its ``__cuda_array_interface__`` alone: shape and address, no arithmetic.

    Parameters
    ----------
    value : object
        With ``__cuda_array_interface__``; its device is that of ``__dlpack_device__``, else 0.
    label : str
        How messages call it.

    Raises
    ------
    DtypeError
        If it is not float32 or float64.
    ArgumentError
        If the interface cannot be read, or masks values.
    """

    def __init__(self, value: Any, label: str) -> None:
        interface = value.__cuda_array_interface__
        try:
            self.shape = tuple(int(n) for n in interface["shape"])
            pointer, read_only = interface["data"]
            typestr, strides = str(interface["typestr"]), interface.get("strides")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArgumentError(
                f"{label}: its __cuda_array_interface__ cannot be read ({error!r}); expected a dict with shape, "
                "typestr and data"
            ) from error
        if interface.get("mask") is not None:
            raise ArgumentError(
                f"{label} is a masked array; the model needs every cell: fill the gaps first"
            )
        self.stream = interface.get("stream") or 0
        device = value.__dlpack_device__()[1] if hasattr(value, "__dlpack_device__") else 0
        self.native = _described(
            label, value, pointer, typestr, self.shape, strides, int(device), not read_only
        )

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)


def device_kind(array: Any) -> DeviceKind | None:
    """The kind of an array that lies in CUDA memory, as :func:`surrogate.field.view` gives it; else None."""
    if isinstance(array, InterfaceArray):
        return _INTERFACE
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and isinstance(array, torch.Tensor):
        return _torch_kind(torch)
    if cupy is not None and isinstance(array, cupy.ndarray):
        return _cupy_kind(cupy)
    return None


def native_array(array: Any) -> Any:
    """`array` as libsurrogate takes it: an ndarray itself, an array in CUDA memory described."""
    kind = None if isinstance(array, np.ndarray) else device_kind(array)
    return array if kind is None else kind.describe(array)


def new_empty(shape: Sequence[int], like: Any) -> Any:
    """A new array of `shape` with the dtype of `like`, in its memory and of its kind."""
    kind = None if isinstance(like, np.ndarray) else device_kind(like)
    return np.empty(shape, like.dtype) if kind is None else kind.empty(shape, like)


def new_zeros(shape: Sequence[int], like: Any) -> Any:
    """As :func:`new_empty`, of zeros."""
    kind = None if isinstance(like, np.ndarray) else device_kind(like)
    return np.zeros(shape, like.dtype) if kind is None else kind.zeros(shape, like)


def stream_of(array: Any) -> int:
    """The stream on which the caller's work on `array` is queued, a ``cudaStream_t`` as a number; 0 on the host."""
    kind = None if isinstance(array, np.ndarray) else device_kind(array)
    return 0 if kind is None else kind.stream(array)


def _torch_kind(torch: Any) -> DeviceKind:
    def describe(tensor: Any) -> _native.DeviceArray:
        size = tensor.element_size()
        typestr = {torch.float32: "<f4", torch.float64: "<f8"}[tensor.dtype]
        strides = [size * step for step in tensor.stride()]
        return _described(
            "a tensor",
            tensor,
            tensor.data_ptr(),
            typestr,
            tensor.shape,
            strides,
            tensor.device.index,
            True,
        )

    def new(make: Callable[..., Any]) -> Callable[[Sequence[int], Any], Any]:
        return lambda shape, like: make(tuple(shape), dtype=like.dtype, device=like.device)

    return DeviceKind(
        describe,
        lambda tensor: int(torch.cuda.current_stream(tensor.device).cuda_stream),
        new(torch.empty),
        new(torch.zeros),
    )


def _cupy_kind(cupy: Any) -> DeviceKind:
    def describe(array: Any) -> _native.DeviceArray:
        return _described(
            "an array",
            array,
            array.data.ptr,
            array.dtype.str,
            array.shape,
            array.strides,
            array.device.id,
            True,
        )

    def new(make: Callable[..., Any]) -> Callable[[Sequence[int], Any], Any]:
        def on_device(shape: Sequence[int], like: Any) -> Any:
            with like.device:
                return make(tuple(shape), dtype=like.dtype)

        return on_device

    def stream(array: Any) -> int:
        with array.device:
            return int(cupy.cuda.get_current_stream().ptr)

    return DeviceKind(describe, stream, new(cupy.empty), new(cupy.zeros))


def _cannot_make(shape: Sequence[int], like: Any) -> Any:
    kind = type(like.native.owner)
    raise UnsupportedError(
        f"a new array of {kind.__module__}.{kind.__qualname__} in CUDA memory is needed, and only its "
        "__cuda_array_interface__ is known; call predict with out=, or give torch or cupy arrays"
    )


_INTERFACE = DeviceKind(
    lambda array: array.native,
    lambda array: 0 if array.stream == _LEGACY_STREAM else int(array.stream),
    _cannot_make,
    _cannot_make,
)


def _described(
    label: str,
    owner: Any,
    pointer: int,
    typestr: str,
    shape: Sequence[int],
    strides: Sequence[int] | None,
    device: int,
    writeable: bool,
) -> _native.DeviceArray:
    """The description of an array in CUDA memory, which keeps `owner` alive; strides in bytes, None: dense."""
    if typestr not in ("<f4", "<f8"):
        raise DtypeError(f"{label} has dtype {typestr}; expected float32 or float64")
    if strides is None:
        size = int(typestr[2:])
        strides = [size * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return _native.DeviceArray(
        owner,
        pointer=int(pointer),
        typestr=typestr,
        shape=list(shape),
        strides=list(strides),
        device=device,
        writeable=writeable,
    )
