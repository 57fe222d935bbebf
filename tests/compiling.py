"""Compiling small native programs against the library of the build folder, for the C, C++ and Fortran tests.

The build folder is `build` (``cmake -S . -B build && cmake --build build``); SURROGATE_BUILD names another.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("SURROGATE_BUILD", ROOT / "build")).resolve()
LIBRARY = BUILD / "lib"
INCLUDE = ROOT / "bindings" / "include"
MODULE = ROOT / "bindings" / "fortran" / "surrogate.f90"
HOW_TO_BUILD = "cmake -S . -B build && cmake --build build"

STRICT = {
    "gcc": ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wstrict-prototypes", "-Werror"],
    "g++": ["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror"],
    "gfortran": ["-std=f2018", "-Wall", "-Wextra", "-pedantic", "-Werror"],
}
LANGUAGE = {".c": "gcc", ".cpp": "g++", ".f90": "gfortran"}


def need_compiler(name: str) -> str:
    """The compiler, or a skip that names what is missing."""
    path = shutil.which(name)
    if path is None:
        package = {"gcc": "gcc", "g++": "g++", "gfortran": "gfortran"}[name]
        pytest.skip(f"{name} is missing: apt-get install {package}")
    return path


def need_library() -> None:
    """Skip unless libsurrogate and the stub engine are built."""
    for name in ("libsurrogate.so", "libsurrogate_engine_stub.so"):
        if not (LIBRARY / name).exists():
            pytest.skip(f"{LIBRARY / name} is missing: {HOW_TO_BUILD}")


def compile_program(source: Path, target: Path, *options: str, strict: bool = True) -> Path:
    """Compile one source file and link it with libsurrogate; fails the test with the compiler's text."""
    compiler = need_compiler(LANGUAGE[source.suffix])
    need_library()
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [
        compiler,
        *(STRICT[Path(compiler).name] if strict else []),
        "-ffp-contract=off",
        *options,
    ]
    if source.suffix == ".f90":
        command += ["-J", str(target.parent), str(MODULE)]
    command += [
        f"-I{INCLUDE}",
        str(source),
        "-o",
        str(target),
        f"-L{LIBRARY}",
        f"-Wl,-rpath,{LIBRARY}",
        "-lsurrogate",
    ]
    run(command)
    return target


def run(
    command: Sequence[str | Path],
    *,
    code: int = 0,
    environment: dict[str, str] | None = None,
    timeout: float = 60,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command, in `folder`, that must end with `code`; its output stands in the failure's text."""
    command = [str(part) for part in command]
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        timeout=timeout,
        cwd=folder,
        check=False,
    )
    assert done.returncode == code, (
        f"{' '.join(command)}\nended with {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    )
    return done


@cache
def sanitizer_works() -> bool:
    """Whether AddressSanitizer can be linked here."""
    command = ["g++", "-fsanitize=address", "-x", "c++", "-", "-o", "/dev/null"]
    return (
        subprocess.run(
            command, input="int main(){}", text=True, capture_output=True, check=False
        ).returncode
        == 0
    )
