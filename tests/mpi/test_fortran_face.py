"""Module surrogate_mpi: generated from its source, warning-free, and the serial answer on any number of ranks."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from compiling import INCLUDE, LIBRARY, MODULE, STRICT, need_library
from compiling import run as run_once
from mpirun import mpirun
from shifting import shifting_bundle

HERE = Path(__file__).parent
MPI_MODULE = MODULE.with_name("surrogate_mpi.f90")


def test_the_committed_module_is_what_its_source_generates(tmp_path: Path):
    pytest.importorskip("fypp", reason="fypp is not installed: pip install fypp")
    fresh = tmp_path / "surrogate_mpi.f90"
    run_once([sys.executable, "-m", "fypp", MPI_MODULE.with_suffix(".fypp"), fresh])
    assert fresh.read_text() == MPI_MODULE.read_text(), (
        "run: fypp bindings/fortran/surrogate_mpi.fypp bindings/fortran/surrogate_mpi.f90"
    )


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled as a user does: both modules' sources with the solver's, and no warning."""
    if shutil.which("mpifort") is None:
        pytest.skip("mpifort is missing: apt-get install libopenmpi-dev gfortran")
    need_library()
    if not (LIBRARY / "libsurrogate_mpi.so").exists():
        pytest.skip(f"{LIBRARY / 'libsurrogate_mpi.so'} is missing: make native, with an MPI for C")
    target = tmp_path_factory.mktemp("face") / "fortran_face"
    flags = [
        *STRICT["gfortran"],
        "-Wno-compare-reals",
        "-g",
        "-fcheck=all",
        f"-I{INCLUDE}",
        "-J",
        target.parent,
    ]
    sources = [MODULE, MPI_MODULE, HERE / "fortran_face.f90"]
    libraries = [f"-L{LIBRARY}", f"-Wl,-rpath,{LIBRARY}", "-lsurrogate_mpi", "-lsurrogate"]
    run_once(["mpifort", *flags, *sources, "-o", target, *libraries], timeout=300)
    return target


@pytest.mark.parametrize(
    ("ranks", "mode"),
    [(1, "tiles"), (2, "auto"), (2, "gather"), (4, "tiles"), (4, "gather"), (4, "batch")],
)
def test_blocks_handles_refusals_and_the_recorder(
    face: Path, tmp_path: Path, ranks: int, mode: str
):
    (tmp_path / "plane").mkdir()
    (tmp_path / "volume").mkdir()
    bundles = [shifting_bundle(tmp_path / "plane", 2), shifting_bundle(tmp_path / "volume", 3)]
    recording = tmp_path / "run.h5"
    done = mpirun([face, *bundles, mode, recording], ranks, timeout=120)
    assert done.stdout.strip() == "all held"
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install h5py")
    with h5py.File(recording) as file:
        rho = file["t0_fields/rho"][0, 0]
    j, i = np.mgrid[1:25, 1:41]
    assert np.allclose(rho, np.sin(0.7 * i + 0.3 * j) + 0.1, rtol=0, atol=1e-14)
