"""GPUs by NVIDIA's management library: memory, temperature, utilisation, power and energy."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

GIB = 2.0**30


def open_gpus(device: str) -> list[Gpu]:
    """The GPUs that a run on `device` (``cuda``, ``cuda:1``; all of a launcher's processes) uses on this machine.

    Empty where the run uses none, the package ``nvidia-ml-py`` is missing, or there is no driver: a run does not fail
    for want of a thermometer.
    """
    if not device.startswith("cuda"):
        return []
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # missing, or a driver that does not answer
        return []
    several = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    first = int(device.partition(":")[2] or 0)
    found = []
    for index in range(several) if several > 1 else (first,):
        try:
            found.append(Gpu(nvml, index, _handle(nvml, index)))
        except Exception:  # not every entry of the variable below is known to NVML
            continue
    return found


def _handle(nvml: Any, index: int) -> Any:
    """NVML numbers all GPUs of the machine, CUDA those of ``CUDA_VISIBLE_DEVICES``: numbers or UUIDs.

    Where a machine's GPUs differ, CUDA numbers them by NVML's order only under ``CUDA_DEVICE_ORDER=PCI_BUS_ID``.
    """
    visible = [
        v.strip() for v in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if v.strip()
    ]
    name = visible[index] if visible else str(index)
    if name.isdecimal():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    return nvml.nvmlDeviceGetHandleByUUID(name)


class Gpu:
    """One GPU; what it cannot tell is left out."""

    def __init__(self, nvml: Any, index: int, handle: Any) -> None:
        self.nvml, self.index, self.handle = nvml, index, handle

    def read(self) -> dict[str, float]:
        """``memory_gib``, ``temperature_c``, ``utilisation_percent`` and ``power_w`` of the whole device."""
        n, handle = self.nvml, self.handle
        questions: dict[str, Callable[[], Any]] = {
            "memory_gib": lambda: n.nvmlDeviceGetMemoryInfo(handle).used / GIB,
            "temperature_c": lambda: n.nvmlDeviceGetTemperature(handle, n.NVML_TEMPERATURE_GPU),
            "utilisation_percent": lambda: n.nvmlDeviceGetUtilizationRates(handle).gpu,
            "power_w": lambda: n.nvmlDeviceGetPowerUsage(handle) / 1e3,  # from mW
        }
        answers: dict[str, float] = {}
        for name, ask in questions.items():
            try:
                answers[name] = float(ask())
            except Exception:  # NVMLError_NotSupported, or the driver went away
                continue
        return answers

    def joules(self) -> float | None:
        """Energy since the driver was loaded (Volta and newer); None where it is not counted."""
        try:
            return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1e3  # mJ
        except Exception:
            return None
