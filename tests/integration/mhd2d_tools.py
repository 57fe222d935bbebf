"""Run benchmarks/solvers/mhd2d from a test: find the binary, start it, read its frames."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from surrogate.demo.launch import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "benchmarks" / "solvers" / "mhd2d"
FIELDS = ("rho", "vx", "vy", "p", "az")


def find_solver():
    """Path of the binary: the variable MHD2D, build/bin/mhd2d, or anything below build."""
    candidates = [Path(os.environ["MHD2D"])] if "MHD2D" in os.environ else []
    candidates += [ROOT / "build" / "bin" / "mhd2d", *(ROOT / "build").glob("**/mhd2d")]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return pytest.skip(
        "no mhd2d binary: build it with `make native`, or name it in the variable MHD2D"
    )


def start(*arguments, ranks=1, **options):
    """Run the solver, return the finished process; an option `t_end=1` becomes --t-end 1."""
    command = [str(find_solver()), *arguments]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    if ranks > 1:
        launcher = shutil.which("mpirun")
        if launcher is None:
            pytest.skip("no mpirun: install Open MPI (apt-get install openmpi-bin)")
        command = [launcher, "--bind-to", "none", "-n", str(ranks), *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | ENVIRONMENT,
        timeout=120,
        check=False,
    )


def solve(*arguments, ranks=1, **options):
    """Run the solver to a good end and return its report."""
    done = start(*arguments, "--json", ranks=ranks, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
