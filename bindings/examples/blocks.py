"""A solver whose domain lies in blocks on the ranks of MPI, with a surrogate in its loop: two decaying tracers.

Usage: mpirun -n RANKS python blocks.py BUNDLE OUTPUT [JUMPS]; rank K writes its block to OUTPUT.K.
The same in C and Fortran stands beside it.
"""

import sys

import numpy as np
from mpi4py import MPI

from surrogate import Rejected, Surrogate, SurrogateError
from surrogate.mpi import Decomposition

NX, NY = 64, 32


def initialise(where: Decomposition) -> dict[str, np.ndarray]:
    """Both tracers on this rank's block."""
    x = (np.arange(NX) + 0.5) / NX
    y = (np.arange(NY) + 0.5)[:, None] / NY
    c = 16 * x * (1 - x) * y * (1 - y)  # (NY, NX)
    q = np.where(x < 0.5, 1.0, 0.0) * np.ones_like(y)
    return {"c": c[where.slices].copy(), "q": q[where.slices].copy()}


def run(comm: MPI.Comm, bundle: str, output: str, jumps: int = 4) -> None:
    """Make `jumps` jumps, each by the surrogate or, where it refuses, by the solver."""
    where = Decomposition.of(comm, (NY, NX))  # sizes differ by one cell at most
    state = initialise(where)
    accepted = rejected = 0
    with Surrogate.open(bundle, comm=comm) as model:
        while accepted + rejected < jumps:
            try:
                model.predict(state, where, out=state)  # in place
                accepted += 1
            except Rejected:  # on all ranks: the solver steps itself
                for tracer in state.values():
                    tracer /= 2
                rejected += 1
    np.stack([state["c"], state["q"]]).tofile(f"{output}.{comm.rank}")
    if comm.rank == 0:
        print(f"accepted {accepted}, rejected {rejected}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} BUNDLE OUTPUT [JUMPS]")
    try:
        run(MPI.COMM_WORLD, sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]))
    except SurrogateError as error:  # on all ranks
        sys.exit(str(error))
