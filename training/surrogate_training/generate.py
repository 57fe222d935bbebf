"""Making a recipe's data set when it is missing, by the command that the recipe states."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from surrogate.whole import write_json
from surrogate_training.config import Data, Generate
from surrogate_training.recipe import RecipeError

MARKER = "generated.json"


class GenerationError(RuntimeError):
    """The data set could not be made; the text says why and what to do."""


def ensure_data(data: Data, *, root: Path, log: Path | None = None) -> bool:
    """Generate the data set unless it is there; return whether it was generated now.

    The folder gets ``generated.json`` with the command and its wall seconds when it has succeeded; a folder that holds
    trajectories made by another command is refused rather than used.

    Raises
    ------
    GenerationError
        If the data is missing and cannot be made.
    """
    folder = root / data.path
    if data.generate is None:
        if missing := _missing(data, root):
            raise GenerationError(
                f"{missing} and the recipe has no data.generate: put the files there, or set data.path or data.pairs"
            )
        return False
    marker = folder / MARKER
    command = list(data.generate.command)
    if marker.is_file():
        made = json.loads(marker.read_text())["command"]
        if made != command:
            raise GenerationError(
                f"{folder} was made by another command ({' '.join(made)}): move it away, or set data.path"
            )
        return False
    begun = time.monotonic()
    run_command(data.generate, folder, root=root, log=log)
    seconds = time.monotonic() - begun
    if missing := _missing(data, root):
        raise GenerationError(f"{' '.join(command)} succeeded, but {missing}")
    write_json(marker, {"command": command, "seconds": seconds})
    return True


def _missing(data: Data, root: Path) -> str:
    """What is not there of the data set, as a sentence; empty: nothing."""
    folder = root / data.path
    if data.pairs is not None:
        lists = (data.pairs.train, data.pairs.validation, data.pairs.test)
        absent = [folder / name for name in lists if name and not (folder / name).is_file()]
        return f"{absent[0]} does not exist" if absent else ""
    return "" if any(folder.glob(data.pattern)) else f"{folder} holds no {data.pattern}"


def run_command(
    generate: Generate, folder: Path, *, root: Path, log: Path | None, out: Path | None = None
) -> None:
    """Run the command with its placeholders filled in, from the repository's root; ``{out}``: where it writes.

    Without ``out`` that is ``folder`` itself.
    """
    target = folder if out is None else out
    values = {
        "python": sys.executable,
        "root": str(root),
        "path": str(folder),
        "out": str(target),
    }
    for name, preset in generate.requires.items():
        file = Path(os.environ.get(name) or preset.format(root=root))
        if not file.exists():
            hint = generate.hint or "build it"
            raise GenerationError(
                f"{file} does not exist: {hint}, or set the environment variable {name}"
            )
        values[name] = str(file)
    try:
        command = [part.format(**values) for part in generate.command]
    except KeyError as error:
        raise RecipeError(
            f"data.generate.command: unknown placeholder {error}; known: {', '.join(values)}"
        ) from error
    target.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    # the synthetic generator is a module of this package, which need not be installed
    here = str(Path(__file__).resolve().parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [here, environment.get("PYTHONPATH")]))
    stream = log.open("ab") if log is not None else None
    try:
        done = subprocess.run(command, cwd=root, env=environment, stdout=stream, stderr=stream)
    except OSError as error:
        raise GenerationError(f"{command[0]} cannot be run: {error}") from error
    finally:
        if stream is not None:
            stream.close()
    if done.returncode != 0:
        where = f", see {log}" if log is not None else ""
        raise GenerationError(f"{' '.join(command)} failed with status {done.returncode}{where}")
