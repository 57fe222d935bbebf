"""What a run has used so far: readings of processes, GPUs and energy counters, summed up."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from surrogate_training.tracking.nvml import Gpu, open_gpus
from surrogate_training.tracking.processes import ProcessTree
from surrogate_training.tracking.rapl import Rapl

JOULES_PER_KWH = 3.6e6


@dataclass
class Session:
    """One process' part of a run: from its start to its end, or to the last reading before it was killed.

    ``cpu_kwh`` is of the whole machine's packages and memory, ``gpu_kwh`` of the GPUs in use; None: not measured.
    """

    began: str
    from_step: int = 0
    to_step: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cpu_kwh: float | None = None
    gpu_kwh: float | None = None
    peak_memory_gib: float = 0.0
    peak_gpu_memory_gib: float | None = None


class Meter:
    """Reads and sums; not safe to use from two threads at a time."""

    def __init__(
        self,
        device: str,
        *,
        step: int = 0,
        gpus: list[Gpu] | None = None,
        rapl: Rapl | None = None,
    ) -> None:
        self.tree = ProcessTree()
        self.gpus = open_gpus(device) if gpus is None else gpus
        self.rapl = Rapl() if rapl is None else rapl
        self.counted = [gpu.joules() for gpu in self.gpus]
        self.watts = [gpu.read().get("power_w") for gpu in self.gpus]
        self.began = self.when = time.monotonic()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.session = Session(now, from_step=step, to_step=step)

    def read(self, step: int) -> dict[str, float]:
        """Take a reading at `step`, add it to the session, and return it flat: ``gpu0_power_w`` and so on."""
        now = time.monotonic()
        seconds, self.when = now - self.when, now
        s, values = self.session, self.tree.read()
        s.to_step, s.seconds = step, now - self.began
        s.cpu_seconds += values["cpu_seconds"]
        s.peak_memory_gib = max(s.peak_memory_gib, values["memory_gib"])
        if self.rapl.readable:
            drawn = self.rapl.joules()
            values["cpu_power_w"] = drawn / max(seconds, 1e-3)
            s.cpu_kwh = (s.cpu_kwh or 0.0) + drawn / JOULES_PER_KWH
        for place, gpu in enumerate(self.gpus):
            found = gpu.read()
            values |= {f"gpu{gpu.index}_{name}": value for name, value in found.items()}
            if "memory_gib" in found:
                s.peak_gpu_memory_gib = max(s.peak_gpu_memory_gib or 0.0, found["memory_gib"])
            joules = self._gpu_joules(place, found.get("power_w"), seconds)
            if joules is not None:
                s.gpu_kwh = (s.gpu_kwh or 0.0) + joules / JOULES_PER_KWH
        return values

    def _gpu_joules(self, place: int, watts: float | None, seconds: float) -> float | None:
        """By the device's own counter, else power times time (trapezoids between readings)."""
        counted, before = self.gpus[place].joules(), self.counted[place]
        last, self.watts[place], self.counted[place] = self.watts[place], watts, counted
        if counted is not None and before is not None and counted >= before:
            return counted - before
        if watts is None or last is None:
            return None
        return 0.5 * (watts + last) * seconds


def summarise(sessions: list[dict[str, Any]]) -> dict[str, Any]:
    """Totals over all sessions of a run; steps that a killed run lost and did again count twice, as they cost.

    ``kwh`` is the sum of what was measured, as ``measured`` tells; both are missing where nothing was.
    """
    total: dict[str, Any] = {
        "seconds": sum(s["seconds"] for s in sessions),
        "cpu_seconds": sum(s["cpu_seconds"] for s in sessions),
        "peak_memory_gib": max(s["peak_memory_gib"] for s in sessions),
    }
    gpu_memory = [
        s["peak_gpu_memory_gib"] for s in sessions if s["peak_gpu_memory_gib"] is not None
    ]
    if gpu_memory:
        total["peak_gpu_memory_gib"] = max(gpu_memory)
    energy = {
        name: sum(s[name] for s in sessions)
        for name in ("cpu_kwh", "gpu_kwh")
        if all(s[name] is not None for s in sessions)
    }
    if energy:
        total |= energy | {"kwh": sum(energy.values())}
        total["measured"] = [name.removesuffix("_kwh") for name in energy]
    return {**total, "sessions": sessions}


def as_record(session: Session) -> dict[str, Any]:
    """A session as JSON keeps it."""
    return asdict(session)
