"""bindings/examples/blocks.*: a loop on many ranks is, bit by bit, that of one process, in three languages."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from bundles import field
from compiling import ROOT
from mpirun import mpirun, program
from shifting import shifting_bundle

from surrogate import Rejected, Surrogate
from surrogate.mpi import Decomposition

NX, NY, JUMPS = 64, 32, 4
EXAMPLES = ROOT / "bindings" / "examples"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Refuses the first state, so that the solver's own step is in the loop."""
    return shifting_bundle(
        tmp_path,
        2,
        fields=[field("c", scale=0.5), field("q", std=0.7, scale=0.25)],
        stub={"scale": [0.5, -1.0], "offset": [0.0, 0.125], "channels": [1, 0]},
        guards={"finite": True, "bounds": {"c": {"upper": 0.97}}},
    )


def command(language: str) -> list[str | Path]:
    if language != "py":
        return [program(f"blocks_{language}")]
    for name in ("mpi4py", "surrogate._native_mpi"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is missing: pip install mpi4py, then surrogate with an MPI for C")
    return [sys.executable, "-P", EXAMPLES / "blocks.py"]


def serial(bundle: Path) -> tuple[np.ndarray, str]:
    """The state (2, NY, NX) after the loop in one process, and what it prints."""
    x, y = (np.arange(NX) + 0.5) / NX, ((np.arange(NY) + 0.5) / NY)[:, None]
    c = 16 * x * (1 - x) * y * (1 - y)
    state = np.stack([c, np.where(x < 0.5, 1.0, 0.0) * np.ones_like(y)])
    accepted = 0
    with Surrogate.open(bundle) as model:
        for _ in range(JUMPS):
            try:
                model.predict(state, out=state)
                accepted += 1
            except Rejected:
                state /= 2
    assert 0 < accepted < JUMPS
    return state, f"accepted {accepted}, rejected {JUMPS - accepted}"


class Rank:
    """A rank of a communicator, as Decomposition.of asks for it."""

    def __init__(self, rank: int, size: int) -> None:
        self.Get_rank, self.Get_size, self.py2f = (lambda: rank), (lambda: size), (lambda: 0)


@pytest.mark.parametrize("ranks", [1, 4])
@pytest.mark.parametrize("language", ["c", "f90", "py"])
def test_loop_is_that_of_one_process(bundle: Path, tmp_path: Path, language: str, ranks: int):
    expected, told = serial(bundle)
    output = tmp_path / "state"
    done = mpirun([*command(language), bundle, output, str(JUMPS)], ranks, timeout=120)
    assert done.stdout.strip() == told
    for rank in range(ranks):
        where = Decomposition.of(Rank(rank, ranks), (NY, NX))
        block = expected[:, *where.slices]
        found = np.fromfile(f"{output}.{rank}").reshape(block.shape)
        assert np.array_equal(found, block), rank
