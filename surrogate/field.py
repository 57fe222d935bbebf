"""Arrays of any kind as numpy views, and back: the one place that knows numpy, torch, DLPack and astropy.

Nothing is imported here that the caller has not imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from surrogate.device import CUDA_DEVICES, InterfaceArray
from surrogate.errors import ArgumentError, DtypeError, UnitError, UnsupportedError

Array = NDArray[Any]
_CPU_DEVICES = (1, 3)  # kDLCPU, kDLCUDAHost


@dataclass(frozen=True)
class View:
    """An array of the caller as numpy sees it, sharing its memory, and the way back.

    Attributes
    ----------
    array : ndarray
        The values, in the manifest's unit.
    wrap : callable
        Turns an ndarray in the manifest's unit into the caller's kind of array.
    converted : bool
        The values are a converted copy: writing to `array` would not reach the caller.
    """

    array: Array
    wrap: Callable[[Array], Any]
    converted: bool = False


def _same(array: Array) -> Any:
    return array


def view(value: Any, label: str, unit: str | None) -> View:
    """See `value` as numpy, without a copy wherever the unit allows.

    Parameters
    ----------
    value : array of any kind
        numpy, torch, cupy, anything with DLPack, ``__array_interface__`` or ``__cuda_array_interface__``, or astropy
        Quantity. On the CPU or a CUDA device.
    label : str
        How messages call it, for instance ``field 'rho'``.
    unit : str or None
        The manifest's unit; None if the values have several.

    Raises
    ------
    DtypeError
        If it is no array, or no array that can be read in place.
    UnitError
        If it carries a unit that does not fit.
    UnsupportedError
        If it lies in memory of a device that is no CUDA device, or cannot be reached there.
    """
    if type(value) is np.ndarray:
        return View(value, _same)
    if isinstance(value, np.ndarray):
        return _subclass_view(value, label, unit)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _torch_view(value, label, torch)
    if hasattr(value, "__cuda_array_interface__"):
        return _device_view(value, label)
    if hasattr(value, "__dlpack__"):
        return _dlpack_view(value, label)
    if hasattr(value, "__array_interface__"):
        return View(np.asarray(value), _same)
    raise DtypeError(
        f"{label} is of type {type(value).__module__}.{type(value).__qualname__}; expected an array: numpy, torch, "
        "anything with DLPack or __array_interface__, or an astropy Quantity (lists: numpy.array(values, dtype=float))"
    )


def _subclass_view(value: Array, label: str, unit: str | None) -> View:
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError(
            f"{label} is a masked array; the model needs every cell: fill the gaps, then give array.filled()"
        )
    units = sys.modules.get("astropy.units")
    if units is not None and isinstance(value, units.Quantity):
        return _quantity_view(value, label, unit, units)
    return View(np.asarray(value), _same)


def _quantity_view(value: Any, label: str, unit: str | None, units: Any) -> View:
    given = value.unit
    if unit is None:
        raise UnitError(
            f"{label} is a Quantity in {given}, but the fields have several units; give a dict of fields, "
            "or plain numbers in the manifest's units"
        )
    if str(given) == unit:
        return View(value.view(np.ndarray), lambda array: units.Quantity(array, given, copy=False))
    try:
        wanted = units.Unit(unit)
        array = value.to_value(wanted)
    except (ValueError, units.UnitConversionError) as error:
        raise UnitError(
            f"{label} is given in {given}, the manifest says {unit!r}; expected a unit that converts to it ({error})"
        ) from error
    return View(
        np.asarray(array),
        lambda result: units.Quantity(result, wanted, copy=False).to(given, copy=False),
        converted=not np.shares_memory(array, value),
    )


def _torch_view(value: Any, label: str, torch: Any) -> View:
    if value.device.type not in ("cpu", "cuda"):
        raise _device_memory(label, str(value.device))
    if value.dtype not in (torch.float32, torch.float64):
        raise DtypeError(
            f"{label} has dtype {value.dtype}; expected torch.float32 or torch.float64: tensor.to(torch.float32)"
        )
    if value.device.type == "cuda":
        return View(value.detach(), _same)
    try:
        return View(value.detach().numpy(), torch.from_numpy)
    except (TypeError, RuntimeError) as error:  # sparse, lazily conjugated, …
        raise ArgumentError(
            f"{label}: this tensor cannot be read in place ({error}); give a dense one"
        ) from error


def _dlpack_view(value: Any, label: str) -> View:
    device = value.__dlpack_device__()[0] if hasattr(value, "__dlpack_device__") else 1
    if device in CUDA_DEVICES:
        return _device_dlpack_view(value, label)
    if device not in _CPU_DEVICES:
        raise _device_memory(label, f"a device (DLPack type {int(device)})")
    try:
        array = np.from_dlpack(value)
    except (TypeError, RuntimeError, BufferError) as error:
        raise DtypeError(
            f"{label}: numpy cannot read it through DLPack ({error}); expected float32 or float64"
        ) from error
    namespace = getattr(value, "__array_namespace__", None)
    return View(array, namespace().from_dlpack if namespace is not None else _same)


def _device_view(value: Any, label: str) -> View:
    """An array with ``__cuda_array_interface__``: cupy's as it is, any other by its interface."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(value, cupy.ndarray):
        if value.dtype not in (np.float32, np.float64):
            raise DtypeError(f"{label} has dtype {value.dtype}; expected float32 or float64")
        return View(value, _same)
    return View(cast("Array", InterfaceArray(value, label)), _same)


def _device_dlpack_view(value: Any, label: str) -> View:
    """An array in CUDA memory that has DLPack only, through the torch or cupy of the caller."""
    library = sys.modules.get("torch") or sys.modules.get("cupy")
    if library is None:
        raise UnsupportedError(
            f"{label} lies in CUDA memory and has DLPack only; import torch or cupy, which read it, "
            "or give their arrays"
        )
    try:
        array = library.from_dlpack(value)
    except (TypeError, RuntimeError, BufferError, ValueError) as error:
        raise UnsupportedError(
            f"{label}: {library.__name__} cannot read it through DLPack ({error}); give a torch or cupy array"
        ) from error
    namespace = getattr(value, "__array_namespace__", None)
    wrap = namespace().from_dlpack if namespace is not None else _same
    return View(view(array, label, None).array, wrap)


def _device_memory(label: str, device: str) -> UnsupportedError:
    return UnsupportedError(
        f"{label} lies in the memory of {device}; this version reads the host's and CUDA devices': copy it to the host "
        "first (tensor.cpu())"
    )
