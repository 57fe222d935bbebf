"""The operating system and the CPU."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from surrogate.environment.findings import Finding, Section

FEATURES = {
    "avx2": ("avx2",),
    "fma": ("fma",),
    "avx512": ("avx512f",),
    "bf16": ("avx512_bf16", "avx_ne_convert", "bf16"),
    "amx": ("amx_tile",),
    "neon": ("asimd",),
    "sve": ("sve",),
}


def machine() -> Section:
    """Operating system, CPU model and features, cores and memory."""
    flags = cpu_flags()
    present = [name for name, any_of in FEATURES.items() if flags.intersection(any_of)]
    return Section(
        "machine",
        (
            Finding("os", _system()),
            Finding("cpu", cpu_model()),
            Finding("features", " ".join(present) or "none of " + " ".join(FEATURES)),
            Finding("cores", _cores()),
            Finding("memory", _memory()),
        ),
    )


def allowed_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    """The CPU as its vendor names it."""
    return _cpu_facts().get("model name") or platform.processor() or platform.machine()


def cpu_slug() -> str:
    """The CPU's name as part of a file's name, for results that belong to one machine: ``amd-epyc-9b14``."""
    return re.sub(r"[^a-z0-9]+", "-", cpu_model().lower()).strip("-")


def cpu_flags() -> frozenset[str]:
    """Instruction sets and features, as /proc/cpuinfo names them."""
    facts = _cpu_facts()
    return frozenset(facts.get("flags", facts.get("Features", "")).split())


def cpu_identity() -> str:
    """Model and instruction sets: code compiled for one identity may not run on another."""
    facts = _cpu_facts()
    return f"{cpu_model()} {facts.get('flags', facts.get('Features', ''))}"


def _cpu_facts() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        name = platform.system()
    return f"{name}, {platform.system()} {platform.release()}, {platform.machine()}"


def _cores() -> str:
    text = f"{allowed_cores()} allowed of {os.cpu_count()}"
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        limit, _, period = quota.read_text().strip().partition(" ")
        if limit != "max":
            text += f", at most {float(limit) / float(period):g} cores of CPU time (cgroup)"
    return text


def _memory() -> str:
    path = Path("/proc/meminfo")
    if not path.is_file():
        return "unknown"
    pairs = (line.split(":") for line in path.read_text().splitlines())
    sizes = {key: int(value.split()[0]) / 2**20 for key, value in pairs}
    return f"{sizes['MemTotal']:.1f} GiB, {sizes['MemAvailable']:.1f} GiB available"
