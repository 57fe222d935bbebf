"""The machine that a program is made for and timed on."""

from __future__ import annotations

import hashlib
import platform
from typing import Any

from surrogate.environment.machine import cpu_flags, cpu_model

# What `-march=native` turns on in compiled code, as flags of /proc/cpuinfo (x86) and its Features (ARM).
_COMPILED = [
    "avx2",
    "fma",
    "f16c",
    "bmi1",
    "bmi2",
    "movbe",
    "avx512f",
    "avx512dq",
    "avx512cd",
    "avx512bw",
    "avx512vl",
    "avx512ifma",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_vnni",
    "avx512_bitalg",
    "avx512_vpopcntdq",
    "avx512_bf16",
    "avx512_fp16",
    "avx_vnni",
    "gfni",
    "vaes",
    "vpclmulqdq",
    "sha_ni",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "asimdhp",
    "fphp",
    "bf16",
    "i8mm",
    "sve",
    "sve2",
]
_BASE = {"x86_64": "sse2", "aarch64": "asimd"}


def compiled_isa() -> list[str]:
    """Instruction sets that code compiled here for this CPU may use."""
    present = cpu_flags()
    return [flag for flag in _COMPILED if flag in present]


def base_isa() -> list[str]:
    """The instruction set of a program that holds no machine code: what every CPU of this kind has."""
    flag = _BASE.get(platform.machine())
    return [flag] if flag in cpu_flags() else []


def torch_version() -> str:
    """Of the installed torch, without the build's name: "2.13.0"."""
    import torch

    return str(torch.__version__).partition("+")[0]


def gpu(device: str) -> tuple[str, str | None]:
    """Name and compute capability ("9.0") of the GPU that `device` means; ("", None) for the CPU."""
    if device == "cpu":
        return "", None
    import torch

    major, minor = torch.cuda.get_device_capability(device)
    return torch.cuda.get_device_name(device), f"{major}.{minor}"


def describe(device: str, isa: list[str]) -> dict[str, Any]:
    """The key ``host`` of an overlay's files."""
    import torch

    name, capability = gpu(device)
    return {
        "isa": isa,
        "vector": torch.backends.cpu.get_cpu_capability(),
        "cpu": cpu_model(),
        "gpu": name or None,
        "compute_capability": capability,
    }


def host_key(device: str) -> str:
    """Twelve hex digits that name this CPU model, this torch and, on a GPU, the GPU."""
    words = "\n".join([cpu_model(), torch_version(), gpu(device)[0]])
    return hashlib.sha256(words.encode()).hexdigest()[:12]
