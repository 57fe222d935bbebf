"""The measuring program: compiled once, started under mpirun, its JSON read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from surrogate import paths
from surrogate.compilation import compile_project
from surrogate.demo.launch import KEEP_MEMORY, run_under_mpi

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TIMEOUT = 600.0


@dataclass(frozen=True)
class Case:
    """Jumps of one mode, or of ``surrogate_predict`` as mode ``serial``, on a domain of (ny, nx) cells."""

    mode: str
    ranks: int
    domain: tuple[int, int]
    threads: int
    """Of a rank that runs programs."""

    def __str__(self) -> str:
        ny, nx = self.domain
        return f"{self.mode}:{self.ranks}:{ny}:{nx}:{self.threads}"


def build() -> Path:
    """Compile the program against the installed libsurrogate_mpi."""
    folder = ROOT / "build" / "scaling"
    compile_project(HERE, folder, [f"-Dsurrogate_DIR={paths.cmake_dir()}"])
    return folder / "scaling"


def jumps(
    program: Path,
    bundle: Path,
    state: np.ndarray,
    cases: Sequence[Case],
    *,
    rounds: int,
    pairs: bool = False,
) -> dict[Case, dict[str, Any]]:
    """Run the cases in turns, in another order each round.

    Parameters
    ----------
    program, bundle : Path
    state : ndarray, shape (C, ny, nx), float64
        Repeated over the domain of each case.
    cases : sequence of Case
    rounds : int
        Timed jumps of each case, after one that is not timed.
    pairs : bool
        The second half of the channels is the rest of the first half; differences are those of the sums.

    Returns
    -------
    dict of Case to dict
        ``seconds`` a jump (of the slowest rank), seconds of its parts (of the rank whose program took longest), bytes
        of the rank that receives most, ``difference`` from one process over the increment's maximum, facts of rank 0.
    """
    ranks = max(case.ranks for case in cases)
    with tempfile.NamedTemporaryFile(suffix=".f64") as file:
        state.astype(np.float64).tofile(file.name)
        found = start(
            program, ranks, "jumps", bundle, file.name, *state.shape, rounds, int(pairs), *cases
        )
    by_name = {row["case"]: row for row in found["cases"]}
    return {case: by_name[str(case)] for case in cases}


def start(program: Path, ranks: int, *arguments: object) -> dict[str, Any]:
    """Run the program on `ranks` ranks and return its JSON."""
    command = [str(program), *(str(argument) for argument in arguments)]
    done = run_under_mpi(command, ranks=ranks, timeout=TIMEOUT, environment=KEEP_MEMORY)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)
