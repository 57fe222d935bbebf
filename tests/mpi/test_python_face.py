"""surrogate.mpi: the serial answer in every mode, one outcome on all ranks, and an mpi4py of another MPI is told."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mpirun import mpirun
from shifting import shifting_bundle

import surrogate
from surrogate.errors import ArgumentError, UnsupportedError
from surrogate.mpi import Decomposition, library
from surrogate.mpi.decomposition import create_dims

SCENES = Path(__file__).with_name("python_face.py")


def need_mpi() -> None:
    for name, remedy in (
        ("surrogate._native_mpi", "install an MPI for C, then surrogate again"),
        ("mpi4py", "pip install mpi4py"),
    ):
        if find_spec(name) is None:
            pytest.skip(f"{name} is missing: {remedy}")


def run(scene: str, ranks: int, *arguments: Path) -> str:
    need_mpi()
    done = mpirun([sys.executable, "-P", SCENES, scene, *arguments], ranks, timeout=240)
    assert "all held" in done.stdout
    return done.stdout


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_every_mode_gives_each_rank_its_block_of_the_serial_frame(tmp_path: Path, ranks: int):
    run("parity", ranks, shifting_bundle(tmp_path, 2))


def test_a_communicator_of_some_ranks_will_do(tmp_path: Path):
    run("subcommunicators", 4, shifting_bundle(tmp_path, 2))


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_rollout_is_the_serial_one(tmp_path: Path, ranks: int):
    guards = {"finite": True, "bounds": {"v": {"upper": 40.0}}}
    run("rollouts", ranks, shifting_bundle(tmp_path, 2, guards=guards))


@pytest.mark.parametrize("ranks", [2, 4])
def test_rejections_and_mistakes_of_one_rank_are_the_outcome_of_all(tmp_path: Path, ranks: int):
    run("refusals", ranks, shifting_bundle(tmp_path, 2))


@pytest.mark.parametrize("ranks", [1, 2])
def test_what_is_no_communicator_is_refused_on_all_ranks(tmp_path: Path, ranks: int):
    run("communicators", ranks, shifting_bundle(tmp_path, 2))


def test_ranks_write_one_recording(tmp_path: Path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install h5py")
    run("recording", 4, tmp_path, tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5") as file:
        rho, v = file["t0_fields/rho"][0], file["t1_fields/v"][0]
    for index in range(2):
        whole = np.random.default_rng(index).normal(size=(4, 24, 40))
        assert np.array_equal(rho[index], whole[0])
        assert np.array_equal(np.moveaxis(v[index], -1, 0), whole[1:3])


def test_another_launcher_is_warned_of(tmp_path: Path):
    out = run_alone("communicators", shifting_bundle(tmp_path, 2), {"PMI_SIZE": "4"})
    assert "WARNING this process was started as one of 4" in out


def run_alone(scene: str, bundle: Path, environment: dict[str, str]) -> str:
    need_mpi()
    return mpirun(
        ["env", "-u", "OMPI_COMM_WORLD_SIZE", sys.executable, "-P", SCENES, scene, bundle],
        1,
        timeout=240,
        environment=environment,
    ).stdout


def mpi_of(version: str) -> SimpleNamespace:
    """A stand-in for mpi4py.MPI."""
    return SimpleNamespace(Get_library_version=lambda: version)


def library_of(version: str, implementation: str) -> SimpleNamespace:
    """A stand-in for surrogate._native_mpi."""
    return SimpleNamespace(library_version=lambda: version, IMPLEMENTATION=implementation)


def test_one_mpi_is_accepted():
    text = "Open MPI v4.1.4, package: Debian OpenMPI\n\0"
    library.check_same_mpi(mpi_of(text), library_of(text.rstrip("\n\0"), "Open MPI"))


def test_an_mpi4py_on_another_mpi_is_told_before_a_handle_is_used():
    theirs, ours = mpi_of("MPICH Version: 4.0.2\nmore"), library_of("Open MPI v4.1.4", "Open MPI")
    with pytest.raises(UnsupportedError, match=r"mpi4py runs on 'MPICH Version: 4\.0\.2'.*mpicc"):
        library.check_same_mpi(theirs, ours)


def test_another_mpi_in_the_place_of_the_one_compiled_for_is_told():
    with pytest.raises(UnsupportedError, match="compiled for Open MPI"):
        library.check_same_mpi(
            mpi_of("MPICH Version: 4.0.2"), library_of("MPICH Version: 4.0.2", "Open MPI")
        )


def test_two_copies_of_one_mpi_are_told():
    with pytest.raises(UnsupportedError, match="has 4 ranks, and 1 as libsurrogate_mpi sees it"):
        library._check_size(SimpleNamespace(Get_size=lambda: 4), 1)


def imported(code: str) -> set[str]:
    command = [sys.executable, "-P", "-c", f"{code}\nimport sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_import_loads_no_mpi():
    modules = imported("import surrogate, surrogate.mpi")
    assert not modules & {"mpi4py", "surrogate._native_mpi"}


def test_a_serial_model_loads_no_mpi(tmp_path: Path):
    bundle = shifting_bundle(tmp_path, 2)
    code = f"import numpy, surrogate; surrogate.Surrogate.open({str(bundle)!r}).predict(numpy.ones((4, 6, 8)))"
    assert not imported(code) & {"mpi4py", "surrogate._native_mpi"}


def test_the_stub_file_lists_what_the_native_module_has():
    native = pytest.importorskip("surrogate._native_mpi", reason="surrogate was built without MPI")
    source = (Path(surrogate.__file__).parent / "_native_mpi.pyi").read_text()
    stated = set(re.findall(r"^(?:def|class) (\w+)", source, re.M))
    stated |= set(re.findall(r"^(\w+):", source, re.M))
    assert {name for name in vars(native) if not name.startswith("_")} == stated


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "surrogate._native_mpi", None)
    with pytest.raises(UnsupportedError, match=r"built without MPI; install .*pip install"):
        library.handle_of(object())  # type: ignore[arg-type]


def test_without_mpi4py_the_error_says_what_to_install(monkeypatch):
    need_mpi()
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'surrogate\[mpi\]'"):
        library.handle_of(object())  # type: ignore[arg-type]


class Rank:
    """A rank of a communicator."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    def Get_rank(self) -> int:  # noqa: N802
        return self.rank

    def Get_size(self) -> int:  # noqa: N802
        return self.size


@pytest.mark.parametrize(
    ("size", "shape", "dims"), [(4, (9, 7), None), (6, (10, 11, 12), (0, 1, 2)), (5, (5,), None)]
)
def test_blocks_cover_the_domain_once_and_differ_by_one_cell(size, shape, dims):
    covered = np.zeros(shape, int)
    for rank in range(size):
        where = Decomposition.of(Rank(rank, size), shape, dims)
        covered[where.slices] += 1
        whole = zip(where.shape, shape, blocks(size, shape, dims), strict=True)
        assert all(n in (cells // count, cells // count + 1) for n, cells, count in whole)
    assert (covered == 1).all()


def blocks(size, shape, dims):
    return create_dims(size, dims or [0] * len(shape))


@pytest.mark.parametrize(
    ("size", "dims", "expected"),
    [
        (12, (0, 0), [4, 3]),
        (16, (0, 0, 0), [4, 2, 2]),
        (7, (0, 0), [7, 1]),
        (12, (0, 3, 0), [2, 3, 2]),
    ],
)
def test_dims_are_balanced_with_the_largest_first(size, dims, expected):
    assert create_dims(size, dims) == expected


@pytest.mark.parametrize("dims", [(5, 0), (2, 3), (-1, 0)])
def test_dims_that_do_not_make_up_the_size_are_refused(dims):
    with pytest.raises(ArgumentError, match="expected blocks along each axis, 4 together"):
        create_dims(4, dims)


def test_a_domain_of_fewer_cells_than_blocks_is_refused():
    with pytest.raises(ArgumentError, match="fewer ranks"):
        Decomposition.of(Rank(0, 4), (3,))


def test_a_decomposition_without_a_shape_has_no_slices():
    with pytest.raises(ArgumentError, match=r"Decomposition\.of"):
        _ = Decomposition((8, 8), (0, 4)).slices


@pytest.mark.parametrize("arguments", [((8, 8), (0,)), ((), ()), ((8, 8, 8, 8), (0, 0, 0, 0))])
def test_a_decomposition_of_unlike_axes_is_refused(arguments):
    with pytest.raises(ArgumentError, match="one number a spatial axis"):
        Decomposition(*arguments)
