"""Small synthetic trajectories for tests: random smooth fields that diffuse, exactly, in Fourier space.

Diffusion has all the symmetries of :mod:`surrogate_training.data.symmetry`, and a corner-staggered potential
diffuses like any scalar. Run as ``python -m surrogate_training.data.synthetic FOLDER``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np

FIELDS = ("rho", "vx", "vy", "p", "az")


def trajectory(seed: int, *, cells: int, frames: int, jump: float = 0.004) -> dict[str, np.ndarray]:
    """One trajectory: per field float32 (frames, cells, cells)."""
    rng = np.random.default_rng(seed)
    k = 2 * np.pi * np.fft.fftfreq(cells, 1 / cells)
    square = k[:, None] ** 2 + k[None, :] ** 2
    made = {}
    for name in FIELDS:
        start = np.fft.fft2(rng.standard_normal((cells, cells))) * np.exp(-square / (2 * 20.0**2))
        decay = np.exp(-square[None] * jump * np.arange(frames)[:, None, None])
        field = np.fft.ifft2(start[None] * decay).real
        made[name] = field * (0.1 if name == "az" else 1.0)
    made["rho"], made["p"] = made["rho"] * 0.1 + 1, made["p"] * 0.1 + 1
    return {name: u.astype(np.float32) for name, u in made.items()}


def write(folder: Path, *, trajectories: int, frames: int, cells: int, jump: float = 0.004) -> None:
    """Write ``trajectory_NNNNNN.h5`` files as the solver does."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(trajectories):
        with h5py.File(folder / f"trajectory_{n:06d}.h5", "w") as h5:
            for name, u in trajectory(n, cells=cells, frames=frames, jump=jump).items():
                h5[name] = u
            h5["time"] = jump * np.arange(frames)
            h5.attrs.update({"lx": 1.0, "ly": 1.0, "b0x": 0.0, "b0y": 0.0, "gamma": 5 / 3})


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trajectories", type=int, default=8)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--cells", type=int, default=32)
    args = parser.parse_args()
    write(args.folder, trajectories=args.trajectories, frames=args.frames, cells=args.cells)


if __name__ == "__main__":
    main()
