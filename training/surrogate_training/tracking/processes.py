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
        self.used = 0.0  # CPU seconds up to the last call
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
        total, resident = 0.0, 0
        for process in self._processes():
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info().rss
            except psutil.Error:
                continue  # it ended just now
            # when a child has ended, its time is among its parent's, so nothing is lost or counted twice
            total += times.user + times.system + times.children_user + times.children_system
            resident += memory
        now = time.monotonic()
        seconds, used = now - self.when, max(0.0, total - self.used)
        self.when, self.used = now, max(total, self.used)  # one that was missed comes back
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
