"""Run benchmarks/solvers/mhd2d from a test: find the binary, start it, read its frames."""

from dataclasses import dataclass

import h5py
import numpy as np
from integration.solver_process import ROOT, find_binary, run_solver, start_solver

SOURCE = ROOT / "benchmarks" / "solvers" / "mhd2d"
FIELDS = ("rho", "vx", "vy", "p", "az")


def find_solver():
    """Path of the binary."""
    return find_binary("mhd2d")


def start(*arguments, ranks=1, **options):
    """Run the solver, return the finished process; an option `t_end=1` becomes --t-end 1."""
    return start_solver("mhd2d", *arguments, ranks=ranks, **options)


def solve(*arguments, ranks=1, **options):
    """Run the solver to a good end and return its report."""
    return run_solver("mhd2d", *arguments, ranks=ranks, **options)


@dataclass(frozen=True)
class Run:
    """All frames of a file: fields (frames, ny, nx), time (frames,), and the file's attributes."""

    fields: dict[str, np.ndarray]
    time: np.ndarray
    attributes: dict

    def __getitem__(self, name):
        return self.fields[name]

    def cell_field(self, frame):
        """Cell-centred (Bx, By), each (ny, nx), from the corner potential and the mean field."""
        az = self["az"][frame]
        ny, nx = az.shape
        face_x = self.attributes["b0x"] + (np.roll(az, -1, 0) - az) * ny / self.attributes["ly"]
        face_y = self.attributes["b0y"] - (np.roll(az, -1, 1) - az) * nx / self.attributes["lx"]
        return (face_x + np.roll(face_x, -1, 1)) / 2, (face_y + np.roll(face_y, -1, 0)) / 2

    def conserved(self, frame):
        """Densities of mass, momentum (x, y) and energy, shape (4, ny, nx)."""
        rho, vx, vy, p = (self[name][frame] for name in FIELDS[:4])
        bx, by = self.cell_field(frame)
        energy = p / (self.attributes["gamma"] - 1) + (rho * (vx**2 + vy**2) + bx**2 + by**2) / 2
        return np.stack([rho, rho * vx, rho * vy, energy])


def read(path):
    """Read a file of frames."""
    with h5py.File(path) as file:
        return Run({name: file[name][:] for name in FIELDS}, file["time"][:], dict(file.attrs))


def same_bits(a, b):
    """Whether two runs hold the same frames, bit for bit."""
    return all(a[name].tobytes() == b[name].tobytes() for name in FIELDS)
