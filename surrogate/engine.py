"""Compile engines that need torch, on the user's machine, against the torch found there.

Nothing here imports torch: its version and folder are read from its files, which takes no time and works
for a torch that cannot be imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from surrogate import paths
from surrogate.compilation import CompilationError, cache_dir, compile_project, find_tool
from surrogate.errors import EngineError

_INSTALL_TORCH = (
    "install it (pip install torch==2.13.0; --index-url chooses PyTorch's CPU or CUDA wheels), or name its "
    "folder with --torch-dir"
)
_SOURCE_SUFFIXES = {".txt", ".cpp", ".hpp", ".map"}


@dataclass(frozen=True)
class Torch:
    """A torch on this machine: its version (without ``+local``) and package folder."""

    version: str
    root: Path

    @property
    def cmake_dir(self) -> Path:
        """Folder of ``TorchConfig.cmake``."""
        return self.root / "share" / "cmake" / "Torch"


@dataclass(frozen=True)
class Build:
    """What ``surrogate engine build`` did."""

    engine: str
    path: Path
    torch: Torch
    rebuilt: bool
    """False: the one that was there is up to date."""
    seconds: float


def find_torch(torch_dir: str | os.PathLike[str] | None = None) -> Torch:
    """The torch of this Python, or the one in `torch_dir`.

    Parameters
    ----------
    torch_dir : path, optional
        Its package folder (``site-packages/torch``), an unpacked libtorch, or ``…/share/cmake/Torch``.

    Raises
    ------
    EngineError
        If there is none; the text says how to install it.
    """
    if torch_dir is not None:
        root = _root_of(Path(torch_dir).resolve())
    else:
        spec = importlib.util.find_spec("torch")
        if spec is None or not spec.submodule_search_locations:
            raise EngineError(f"torch was not found by {sys.executable}; {_INSTALL_TORCH}")
        root = Path(spec.submodule_search_locations[0])
    version = _version_of(root)
    if not version or not (root / "share" / "cmake" / "Torch").is_dir():
        raise EngineError(
            f"{root}: no torch with headers and CMake files here (expected include/ and share/cmake/Torch); "
            f"{_INSTALL_TORCH}"
        )
    return Torch(version, root)


def source_dir() -> Path:
    """Folder that holds ``engine.h`` and ``torch/``: installed, or the repository's.

    Raises
    ------
    EngineError
        If the sources were not installed.
    """
    repository = Path(__file__).resolve().parents[1] / "bindings" / "engines"
    installed = [paths.share_dir() / "surrogate" / "engines", paths.share_dir() / "engines"]
    candidates = [repository, *installed]
    for folder in candidates:
        if (folder / "engine.h").is_file() and (folder / "torch" / "CMakeLists.txt").is_file():
            return folder
    raise EngineError(
        f"the torch engine's sources are in none of {', '.join(map(str, candidates))}; install surrogate again"
    )


def build_torch(
    *,
    torch_dir: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> Build:
    """Compile the torch engine and put it where libsurrogate finds it.

    Parameters
    ----------
    torch_dir : path, optional
        The torch to compile against; that of this Python if absent.
    out : path, optional
        Folder for the engine; libsurrogate's own if absent. Another one belongs on ``SURROGATE_ENGINE_PATH``.
    force : bool
        Compile even if the engine in `out` is up to date.

    Raises
    ------
    EngineError
        If torch, CMake or a compiler is missing, or if compiling fails; the text says what to install.
    """
    start = time.monotonic()
    torch = find_torch(torch_dir)
    folder = Path(out) if out is not None else paths.library_dir()
    names = [
        f"libsurrogate_engine_torch-{torch.version}.so",
        f"libsurrogate_torch-{torch.version}.so",
    ]
    stamp = folder / f"libsurrogate_engine_torch-{torch.version}.json"
    built_from = {
        "torch": torch.version,
        "torch_root": str(torch.root),
        "sources": _hash(source_dir()),
    }
    current = (
        not force
        and all((folder / name).is_file() for name in names)
        and _read(stamp) == built_from
    )
    if not current:
        build = _compile(torch, built_from)
        graphs = build.glob("libsurrogate_torch_cuda-*.so")  # only where torch has CUDA
        _install([*(build / name for name in names), *graphs], folder)
        stamp.write_text(json.dumps(built_from, indent=2) + "\n", encoding="utf-8")
    return Build("torch", folder / names[0], torch, not current, time.monotonic() - start)


def to_json(build: Build) -> dict[str, object]:
    """A build as plain data."""
    data = asdict(build)
    data["path"] = str(build.path)
    data["torch"] = {"version": build.torch.version, "root": str(build.torch.root)}
    return data


def _root_of(folder: Path) -> Path:
    if (folder / "TorchConfig.cmake").is_file():
        return folder.parents[2]
    return folder / "torch" if (folder / "torch" / "version.py").is_file() else folder


def _version_of(root: Path) -> str:
    """Release from the headers that will be compiled against, as the engine's CMake file reads it."""
    for header in ("torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"):
        path = root / "include" / header
        if path.is_file():
            pattern = r"^#define TORCH_VERSION_(?:MAJOR|MINOR|PATCH)\s+(\d+)"
            numbers = re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
            if len(numbers) == 3:
                return ".".join(numbers)
    return ""


def _hash(sources: Path) -> str:
    header = paths.include_dir() / "surrogate" / "surrogate.h"
    files = sorted(
        file for file in (sources / "torch").iterdir() if file.suffix in _SOURCE_SUFFIXES
    )
    digest = hashlib.sha256()
    for file in [header, sources / "engine.h", *files]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _read(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _compile(torch: Torch, built_from: dict[str, str]) -> Path:
    """Configure and compile in the cache; returns the build folder."""
    given = os.environ.get("CXX")
    try:
        compiler = find_tool([given] if given else ["g++", "c++"], "apt-get install g++")
        key = hashlib.sha256(json.dumps([built_from, compiler]).encode()).hexdigest()[:16]
        build = cache_dir() / "engines" / f"torch-{torch.version}-{key}"
        options = [
            f"-DTorch_DIR={torch.cmake_dir}",
            f"-DSURROGATE_INCLUDE_DIR={paths.include_dir()}",
            f"-DCMAKE_CXX_COMPILER={compiler}",
        ]
        compile_project(source_dir() / "torch", build, options)
    except CompilationError as error:
        raise EngineError(str(error)) from error
    return build


def _install(files: Sequence[Path], folder: Path) -> None:
    """Copy beside the target and rename: a running solver keeps the file that it has mapped."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            partial = folder / f".{file.name}.{os.getpid()}"
            shutil.copy2(file, partial)
            partial.replace(folder / file.name)
    except OSError as error:
        raise EngineError(
            f"the engine cannot be written to {folder} ({error}); choose another folder with --out and name it "
            "in SURROGATE_ENGINE_PATH"
        ) from error
