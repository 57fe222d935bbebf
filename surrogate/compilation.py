"""Compiling what comes as source, on the user's machine: engines that need torch, the demo's solver."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


class CompilationError(RuntimeError):
    """A tool is missing or a compilation failed; the text says which, where the log is, and what to do."""


def cache_dir() -> Path:
    """The user's folder for what was compiled: ``$XDG_CACHE_HOME/surrogate``, else ``~/.cache/surrogate``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "surrogate"


def find_tool(names: Sequence[str], advice: str) -> str:
    """Path of the first of `names` on PATH or beside this Python.

    Raises
    ------
    CompilationError
        If there is none; the text ends with `advice`.
    """
    beside_python = str(Path(sys.executable).parent)
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=beside_python)
        if found:
            return found
    raise CompilationError(f"{' or '.join(names)} was not found on PATH; install it: {advice}")


def compile_project(source: Path, build: Path, options: Iterable[str]) -> None:
    """Configure the CMake project `source` in `build` with `options`, as Release, and build it.

    Raises
    ------
    CompilationError
        If CMake is missing or fails; the text holds the first lines from the error on and names the log.
    """
    cmake = find_tool(["cmake"], "pip install cmake, or apt-get install cmake")
    build.mkdir(parents=True, exist_ok=True)
    configure = [cmake, "-S", str(source), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", *options]
    _run(configure, build / "configure.log")
    _run([cmake, "--build", str(build), "--parallel"], build / "build.log")


def _run(command: Sequence[str], log: Path) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()
        first = next((i for i, line in enumerate(lines) if "rror" in line), max(0, len(lines) - 8))
        raise CompilationError(
            f"{' '.join(command[:2])} … failed (status {done.returncode}); whole output in {log}:\n  "
            + "\n  ".join(lines[first : first + 8])
        )
