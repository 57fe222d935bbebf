"""All findings together."""

from __future__ import annotations

import platform
import sys

from surrogate import _native
from surrogate.environment.engines import engines, openmp, torch
from surrogate.environment.findings import Finding, Section
from surrogate.environment.machine import machine
from surrogate.environment.tools import compilers, hdf5, mpi, package_version
from surrogate.paths import library, shipped_bundles

PACKAGES = {
    "numpy": "pip install numpy",
    "h5py": "pip install h5py",
    "pydantic": "pip install pydantic",
    "typer": "pip install typer",
    "matplotlib": "pip install matplotlib",
    "safetensors": "pip install safetensors",
    "astropy": "pip install astropy",
}


def diagnose() -> list[Section]:
    """Look at everything that the project can use; a few seconds."""
    return [
        _surrogate(),
        machine(),
        compilers(),
        mpi(),
        torch(),
        engines(),
        openmp(),
        hdf5(),
        _packages(),
    ]


def _surrogate() -> Section:
    return Section(
        "surrogate",
        (
            Finding("version", _native.version()),
            Finding("library", str(library()), library().is_file()),
            Finding("bundles", ", ".join(shipped_bundles()) or "none come with this installation"),
        ),
    )


def _packages() -> Section:
    findings = [Finding("python", f"{platform.python_version()} ({sys.executable})")]
    for name, remedy in PACKAGES.items():
        version = package_version(name)
        findings.append(Finding(name, version, bool(version), "" if version else remedy))
    return Section("packages", tuple(findings))
