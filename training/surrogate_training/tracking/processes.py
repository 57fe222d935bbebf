"""CPU time and memory of a process and all that it has started."""

from __future__ import annotations

import os
import time

import psutil

GIB = 2.0**30


class ProcessTree:
    """Reads a process, its workers among its children included.

    Parameters
    ----------
    root : int, optional
        Process id; default: this process, or the launcher that started it and its sisters.
    """

    def __init__(self, root: int | None = None) -> None:
        self.root = psutil.Process(launcher() if root is None else root)
        self.seen: dict[tuple[int, float], float] = {}  # (pid, start) → CPU seconds
        self.when = time.monotonic()
        self.read()

    def read(self) -> dict[str, float]:
        """What was used since the last call.

        Returns
        -------
        dict
            ``cpu_seconds`` (user and system), ``cpu_percent`` (100: one core busy), ``memory_gib`` (resident; pages
            that processes share are counted in each), ``load`` (of the machine, one minute).
        """
        used, resident, seen = 0.0, 0, {}
        for process in self._processes():
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info().rss
                    key = (process.pid, process.create_time())
            except psutil.Error:
                continue  # it ended just now
            seen[key] = times.user + times.system
            used += max(0.0, seen[key] - self.seen.get(key, 0.0))
            resident += memory
        now = time.monotonic()
        seconds, self.when, self.seen = now - self.when, now, seen
        return {
            "cpu_seconds": used,
            "cpu_percent": 100 * used / max(seconds, 1e-3),
            "memory_gib": resident / GIB,
            "load": os.getloadavg()[0],
        }

    def _processes(self) -> list[psutil.Process]:
        try:
            return [self.root, *self.root.children(recursive=True)]
        except psutil.Error:
            return [self.root]


def launcher() -> int:
    """The process whose tree is the run on this machine: the parent where a launcher started several."""
    several = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) > 1
    return os.getppid() if several else os.getpid()
