"""torch, the engines that are found, and the OpenMP runtime they bring."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

from surrogate.environment.findings import Finding, Section, probed
from surrogate.paths import library_dir

_TORCH_REMEDY = "pip install torch==2.13.0"
_ENGINE_REMEDY = "surrogate engine build torch"
_OPENMP_VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_SPINCOUNT",
    "KMP_BLOCKTIME",
    "KMP_AFFINITY",
    "MKL_NUM_THREADS",
    "LD_PRELOAD",
)


def engine_folders() -> list[Path]:
    """Where libsurrogate looks for engines: ``SURROGATE_ENGINE_PATH``, then beside itself."""
    listed = os.environ.get("SURROGATE_ENGINE_PATH", "").split(":")
    return [Path(folder) for folder in listed if folder] + [library_dir()]


def engine_files() -> list[Path]:
    """Engine plugins in those folders."""
    return [
        path
        for folder in engine_folders()
        for path in sorted(folder.glob("libsurrogate_engine_*.so"))
    ]


def engines() -> Section:
    """Engine plugins, each loaded once in a process of its own."""
    findings = [_engine(path) for path in engine_files()]
    if not any(finding.found and finding.name == "torch" for finding in findings):
        remedy = (
            _ENGINE_REMEDY
            if importlib.util.find_spec("torch")
            else f"{_TORCH_REMEDY} && {_ENGINE_REMEDY}"
        )
        findings.append(Finding("torch", "", False, remedy))
    return Section("engines", tuple(findings))


def torch() -> Section:
    """The torch package, if it is installed."""
    facts = _torch_facts()
    if "error" in facts:
        return Section("torch", (Finding("torch", facts["error"], False, _TORCH_REMEDY),))
    gpus = ", ".join(facts["gpus"])
    return Section(
        "torch",
        (
            Finding("version", facts["version"]),
            Finding("cpu", f"{facts['capability']}, oneDNN {'yes' if facts['mkldnn'] else 'no'}"),
            Finding("threads", f"{facts['threads']} (interop {facts['interop_threads']})"),
            Finding("cuda", f"{facts['cuda']}: {gpus}" if facts["cuda"] else "none: CPU only"),
        ),
    )


def openmp() -> Section:
    """OpenMP's runtime as torch loads it, and the variables that steer it."""
    runtimes = _torch_facts().get("openmp", [])
    text = ", ".join(runtimes) or "none loaded (no torch)"
    if len(runtimes) > 1:
        text += "; two runtimes in one process fight for the cores"
    given = [f"{name}={os.environ[name]}" for name in _OPENMP_VARIABLES if name in os.environ]
    return Section(
        "openmp",
        (
            Finding("runtime", text, len(runtimes) < 2),
            Finding("variables", " ".join(given) or "none set"),
        ),
    )


def _engine(path: Path) -> Finding:
    facts = probed("engine", str(path))
    name = path.name.removeprefix("libsurrogate_engine_").removesuffix(".so").split("-")[0]
    if "error" in facts:
        return Finding(
            name, f"{path}: {facts['error']}", False, _ENGINE_REMEDY if name == "torch" else ""
        )
    return Finding(facts["name"], f"{facts['version']} ({path})")


@cache
def _torch_facts() -> dict[str, Any]:
    if importlib.util.find_spec("torch") is None:
        return {"error": ""}
    return probed("torch")
