"""Module surrogate_mpi: generated from its source, warning-free, and the serial answer on any number of ranks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from compiling import run as run_once
from fortran_programs import MPI_MODULE, compile_with_mpi
from mpirun import mpirun
from shifting import shifting_bundle

HERE = Path(__file__).parent


def test_the_committed_module_is_what_its_source_generates(tmp_path: Path):
    pytest.importorskip("fypp", reason="fypp is not installed: pip install fypp")
    fresh = tmp_path / "surrogate_mpi.f90"
    run_once([sys.executable, "-m", "fypp", MPI_MODULE.with_suffix(".fypp"), fresh])
    assert fresh.read_text() == MPI_MODULE.read_text(), (
        "run: fypp bindings/fortran/surrogate_mpi.fypp bindings/fortran/surrogate_mpi.f90"
    )


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    return compile_with_mpi(HERE / "fortran_face.f90", tmp_path_factory.mktemp("face") / "face")


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
