"""``python parity_program.py CASES ANSWERS``: as parity.c, for fields of one frame; every rank is in every case."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from surrogate import Surrogate
from surrogate.mpi import Decomposition


def run(line: str, comm: MPI.Comm) -> str:
    """Predict one case, write the rank's block; what rank 0 answers."""
    bundle, mode, state, output, dtype, *words = line.split()
    ranks, threads, *numbers = map(int, words)
    assert ranks == comm.size
    *shapes, low, shape = np.reshape(numbers, (-1, 3))[[0, 1, 2 + 2 * comm.rank, 3 + 2 * comm.rank]]
    domain, tile = shapes
    used = slice(1 if domain[0] == 1 else 0, None)
    where = Decomposition(domain[used], low[used], shape[used])
    whole = np.fromfile(state, dtype).reshape(-1, *where.global_shape)
    options = {"tile_shape": tile[used].tolist()} if tile.any() else {}
    with Surrogate.open(
        bundle, comm=comm, mode=mode, threads=threads, reader=ranks - 1, **options
    ) as model:
        block = np.ascontiguousarray(whole[(slice(None), *where.slices)])
        frame = model.predict(block, where, step=7, seed=3)
        report = model.report
    frame.tofile(f"{output}.{comm.rank}")
    counts = (report.tiles, report.bytes_received, report.minimum_bytes)
    return " ".join(map(str, ("SURROGATE_OK", "-", -1, report.mode, *counts)))


def main(cases: Path, answers: Path) -> None:
    """Run all cases."""
    comm = MPI.COMM_WORLD
    said = [run(line, comm) for line in cases.read_text().splitlines()]
    if comm.rank == 0:
        answers.write_text("\n".join(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
