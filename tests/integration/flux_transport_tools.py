"""Run benchmarks/solvers/flux_transport from a test: start it, read its frames, give it a start."""

import os
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from integration.solver_process import ROOT, run_solver, start_solver

SOURCE = ROOT / "benchmarks" / "solvers" / "flux_transport"
FIELDS = ("br", "vlon", "vlat", "vlon_mean", "vlat_mean", "source")
RADIUS = 695.7e6  # m
CARRINGTON = 360 / 25.38  # deg/day, sidereal
# Physics that does nothing: no flow in the Carrington frame, no diffusion, nothing emerges.
STILL = {
    "eta": 0.0,
    "speed": 0.0,
    "radius": 15.0,
    "lifetime": 36.0,
    "refresh": 15.0,
    "rotation_a": CARRINGTON,
    "rotation_b": 0.0,
    "rotation_c": 0.0,
    "meridional": 0.0,
    "regions": 0.0,
    "ephemerals": 0.0,
    "start_time": 0.0,
}
# A patch that runs in a tenth of a second.
PATCH = {"nx": 96, "ny": 48, "lon_range": "10,40", "lat_range": "-5,10"}


def start(*arguments, ranks=1, **options):
    """Run the solver, return the finished process."""
    return start_solver("flux_transport", *arguments, ranks=ranks, **options)


def solve(*arguments, ranks=1, **options):
    """Run the solver to a good end, with frames in double precision, and return its report."""
    return run_solver("flux_transport", *arguments, "--double", ranks=ranks, **options)


@dataclass(frozen=True)
class Frames:
    """All frames of a file: fields (frames, ny, nx); time (frames,) in hours; lon, lat in degrees."""

    fields: dict[str, np.ndarray]
    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    scalars: dict[str, float]

    def __getitem__(self, name):
        return self.fields[name]

    @property
    def area(self):
        """Areas of the cells over their sum, shape (ny, 1)."""
        half = (self.lat[1] - self.lat[0]) / 2
        north, south = (np.sin(np.radians(self.lat + sign * half)) for sign in (1, -1))
        return ((north - south) / (north - south).sum() / len(self.lon))[:, None]


def read(path):
    """Read a recording of the solver."""
    with h5py.File(path) as file:
        return Frames(
            {name: file["t0_fields"][name][0] for name in FIELDS},
            file["dimensions/time"][:],
            file["dimensions/lon"][:],
            file["dimensions/lat"][:],
            {name: float(value[()]) for name, value in file["scalars"].items()},
        )


def write_start(path, br, *, lon_range, lat_range, walls=True, **physics):
    """Write one frame that the solver restarts from: br (ny, nx) and physics other than STILL."""
    edges = dict(zip(("west", "east", "south", "north"), (*lon_range, *lat_range), strict=True))
    with h5py.File(path, "w") as file:
        file["t0_fields/br"] = br[None, None]
        file["dimensions/time"] = [0.0]
        file.attrs["seed"] = np.uint64(1)
        for name, value in (STILL | edges | {"walls": float(walls)} | physics).items():
            file[f"scalars/{name}"] = float(value)
    return path


def hmi_map():
    """The synoptic map of SURROGATE_DATA, or of shared/data beside the repository; a skip without it."""
    folder = Path(os.environ.get("SURROGATE_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "hmi_br_cr2252_1024x512.h5"
    if not path.is_file():
        pytest.skip(f"no {path}: the variable SURROGATE_DATA names the folder of the HMI maps")
    return path


def centres(lower, upper, cells):
    """Centres of equal cells between two edges, in radians."""
    return np.radians(lower + (np.arange(cells) + 0.5) * (upper - lower) / cells)
