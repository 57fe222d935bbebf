"""A small solver with a surrogate in its loop: two tracers, periodic, upwind advection and centred diffusion.

Usage: python advection_diffusion.py BUNDLE OUTPUT.bin [JUMPS].  The same in C, C++ and Fortran stands beside it.
"""

import sys

import numpy as np

from surrogate import Rejected, Surrogate, SurrogateError

NX, NY = 64, 32
DT, CX, CY, DIFFUSION = 1 / 128, 0.25, 0.125, 1 / 64
INTERIOR = (slice(1, -1), slice(1, -1))  # one ghost cell on each side


def initialise() -> tuple[np.ndarray, np.ndarray]:
    """Both tracers with their ghost cells, shape (NY + 2, NX + 2)."""
    c, q = np.zeros((2, NY + 2, NX + 2))
    x, y = (np.arange(NX) + 0.5) / NX, (np.arange(NY) + 0.5)[:, None] / NY
    c[INTERIOR] = 16 * x * (1 - x) * y * (1 - y)
    q[INTERIOR] = np.arange(NX) < NX // 2
    return c, q


def solver_step(u: np.ndarray) -> None:
    """Advance one tracer by DT, in place."""
    u[1:-1, 0], u[1:-1, -1] = u[1:-1, -2], u[1:-1, 1]
    u[0], u[-1] = u[-2], u[1]
    o, w, e, s, n = u[1:-1, 1:-1], u[1:-1, :-2], u[1:-1, 2:], u[:-2, 1:-1], u[2:, 1:-1]
    u[INTERIOR] = o - CX * (o - w) - CY * (o - s) + DIFFUSION * ((w + e) + (s + n) - 4 * o)


def run(bundle: str, output: str, jumps: int = 4) -> None:
    """Make `jumps` jumps, each by the surrogate or, where it refuses, by the solver."""
    model = Surrogate.open(bundle, threads=1)
    jump = model.info.time_step
    c, q = initialise()
    state = {"c": c[INTERIOR], "q": q[INTERIOR]}
    accepted = rejected = 0
    while accepted + rejected < jumps:
        try:
            model.predict(state, out=state)  # in place: written only if accepted
            accepted += 1
        except Rejected:  # the solver steps itself
            for _ in range(round(jump / DT)):
                solver_step(c)
                solver_step(q)
            rejected += 1
    print(f"accepted {accepted}, rejected {rejected}, time {jumps * jump:8.3f}")
    np.stack([c[INTERIOR], q[INTERIOR]]).tofile(output)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"usage: {sys.argv[0]} BUNDLE OUTPUT.bin [JUMPS]")
    try:
        run(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:4]))
    except SurrogateError as error:
        sys.exit(str(error))
