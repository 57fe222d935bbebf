"""Starting programs under mpirun, as root and on fewer cores than ranks if need be."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from surrogate.compilation import find_tool

ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    # Idle OpenMP workers spin for milliseconds by default, on the core that a waiting rank needs next.
    "GOMP_SPINCOUNT": "10000",
}


# glibc gives a net's temporaries back to the system after each call, which faults them in again at the next.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "2147483648",
}


def run_under_mpi(
    command: Sequence[str],
    *,
    ranks: int,
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `command` on `ranks` ranks, none of them bound to a core, and wait for its end.

    Parameters
    ----------
    command : sequence of str
    ranks : int
    timeout : float, optional
        Seconds after which all ranks are killed.
    environment : mapping of str to str, optional
        Set besides `ENVIRONMENT`.

    Raises
    ------
    CompilationError
        If there is no mpirun.
    subprocess.TimeoutExpired
        If it took longer than `timeout`.
    """
    launcher = find_tool(["mpirun"], "apt-get install openmpi-bin")
    whole = [launcher, "--bind-to", "none", "-n", str(ranks), *command]
    process = subprocess.Popen(
        whole,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ENVIRONMENT | dict(environment or {}),
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except BaseException:
        _end(process)
        raise
    return subprocess.CompletedProcess(whole, process.returncode, output, errors)


def kill_job(process: subprocess.Popen[str]) -> None:
    """Kill mpirun and every rank, stopped ones too, and wait for its end."""
    if process.poll() is None:
        ranks = _descendants(process.pid)
        for pid in [*ranks, process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.communicate()


def _end(process: subprocess.Popen[str]) -> None:
    """End mpirun, which ends its ranks; kill what is left."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        kill_job(process)


def _descendants(root: int) -> list[int]:
    """All processes below `root`: mpirun puts each rank in a process group of its own."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):  # it has ended meanwhile
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, new = [], [root]
    while new:
        new = [child for pid in new for child in children.get(pid, [])]
        found += new
    return found
