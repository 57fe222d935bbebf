"""Where a result was made: commit, machine and versions, saved beside every figure and every trained model."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from surrogate.environment.machine import allowed_cores, cpu_model

PACKAGES = ("surrogate", "torch", "numpy", "h5py")


def provenance(
    repository: Path, *, packages: Iterable[str] = PACKAGES
) -> dict[str, str | int | float]:
    """Facts that a figure depends on.

    Parameters
    ----------
    repository : Path
        Any folder of the repository whose commit is named; "unknown" where there is none.
    packages : iterable of str
        Distributions whose versions are named.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(repository),
        "cpu": cpu_model(),
        "cores": allowed_cores(),
        "load_average": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
    }


def commit(repository: Path) -> str:
    """Commit of the repository, with ``+dirty`` if tracked files differ; "unknown" outside git."""
    command = [
        "git",
        "-C",
        str(repository),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=+dirty",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
