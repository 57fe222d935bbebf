"""The rival that costs time as well: the solver itself at coarser settings, one jump from every true frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from surrogate.io.hdf5 import SUFFIXES
from surrogate.whole import write_json
from surrogate_training.config import Data, Generate
from surrogate_training.data.runs import open_data
from surrogate_training.evaluation.baselines import Case
from surrogate_training.evaluation.system import System
from surrogate_training.generate import MARKER, run_command

SECONDS = "seconds_per_jump"


class CoarseSolver:
    """Frames that the coarse solver has made of true ones.

    Parameters
    ----------
    folder : Path
        For each file of the data one of the same name and layout; frame n is made of the true frame n - 1.
    """

    def __init__(self, folder: Path, data: Data, system: System) -> None:
        self.folder, self.system, self.data = folder, system, data
        self.paths = [f.path for f in data.fields if not f.condition]

    def __call__(self, case: Case) -> NDArray[np.float32]:
        """The frame (P, ny, nx) at t2 of a pair.

        Raises
        ------
        ValueError
            If its file is missing or shorter than the data.
        """
        path, frame = self.folder / case.file, case.frame + 1
        with open_data(path, self.data) as stored:
            if stored.frames <= frame:
                raise ValueError(
                    f"{path} has {stored.frames} frames, but frame {frame} was asked for: evaluation.coarse must make "
                    "as many as the data has"
                )
            fields = [stored.read(name, frame, frame + 1)[0] for name in self.paths]
        return np.stack(fields).astype(np.float32)


def jump_seconds(files: Sequence[Path]) -> float | None:
    """Median cost of a jump that files of frames tell (attribute ``seconds_per_jump``); None where none does."""
    costs = []
    for path in files:
        if path.suffix not in SUFFIXES:
            continue
        with h5py.File(
            path
        ) as stored:  # of any layout: a mapping says where its fields are, not this
            cost = stored.attrs.get(SECONDS)
        if cost is not None:
            costs.append(float(cost))
    return float(np.median(costs)) if costs else None


def open_coarse(
    generate: Generate, data: Data, system: System, source: Path, *, root: Path
) -> CoarseSolver:
    """Run the command of ``evaluation.coarse`` unless its frames are there, beside the data: ``NAME_coarse``.

    Raises
    ------
    ValueError
        If pairs span several frames: the coarse solver makes one jump.
    GenerationError
        If the command fails.
    """
    if data.jumps != (1,) or data.pairs is not None:
        raise ValueError(
            "evaluation.coarse makes one jump from each frame of a trajectory: it needs data.stride 1, no data.pairs"
        )
    folder = source.with_name(f"{source.name}_coarse")
    marker, command = folder / MARKER, list(generate.command)
    made = json.loads(marker.read_text())["command"] if marker.is_file() else None
    if made != command:
        if made is not None:
            raise ValueError(
                f"{folder} was made by another command ({' '.join(made)}): move it away"
            )
        run_command(generate, source, root=root, log=None, out=folder)
        write_json(marker, {"command": command})
    return CoarseSolver(folder, data, system)
