"""Energy of CPU packages and memory by Linux' powercap interface (RAPL).

The counters are of the whole machine: what other jobs draw is counted too. Newer kernels let only root read them.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class Rapl:
    """Counters in µJ that wrap around; those that cannot be read are left out."""

    def __init__(self, folder: Path = POWERCAP) -> None:
        self.ranges: dict[Path, int] = {}  # counter → the value at which it starts again
        for zone in sorted(folder.glob("*rapl:*")):
            if not _counts(zone):
                continue
            try:
                _number(zone / "energy_uj")
                self.ranges[zone / "energy_uj"] = _number(zone / "max_energy_range_uj")
            except (OSError, ValueError):
                continue
        self.last = {file: self._read(file) for file in self.ranges}

    @property
    def readable(self) -> bool:
        """Whether any counter can be read."""
        return bool(self.ranges)

    def joules(self) -> float:
        """Energy since the last call; right if no counter has gone round twice (minutes, at full load)."""
        total = 0
        for file, limit in self.ranges.items():
            before, now = self.last[file], self._read(file)
            if before is not None and now is not None:
                total += now - before if now >= before else now - before + limit
            if now is not None:
                self.last[file] = now
        return total * 1e-6

    def _read(self, file: Path) -> int | None:
        try:
            return _number(file)
        except (OSError, ValueError):
            return None


def _counts(zone: Path) -> bool:
    """Packages, and memory beside them: cores and uncore are inside a package, psys around all."""
    try:
        name = (zone / "name").read_text().strip()
    except OSError:
        return False
    return name.startswith(("package", "dram"))


def _number(file: Path) -> int:
    return int(file.read_text())
