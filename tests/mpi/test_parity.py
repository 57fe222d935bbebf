"""Any number of ranks gives the frame of one process: real nets on the torch engine, every mode, uneven blocks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is missing: pip install torch==2.13.0")
from engines.torchscript import engine_folder
from fortran_programs import compile_with_mpi
from mpirun import program
from parity import Case, Jobs, bricks, lattice, pinwheel
from parity_nets import GATHERED, KINDS, kind_bundle

MODES = ["tiles", "gather", "batch"]
TIGHT = {"fp64": 1e-12, "fp32": 1e-5, "bf16": 0.1}
"""Largest difference over the increment's maximum: of the tiling, of kernels chosen by shape, of bf16 itself."""
SINGLE = 1e-5
"""The same where the fields are float32."""
ALL, SOME = (
    [kind for kind in KINDS if kind != "short halo"],
    ["periodic", "3-D with walls", "everything read"],
)


def blocks(kind: str, ranks: int) -> Iterator[tuple]:
    """Decompositions of the kind's domain on so many ranks."""
    domain = KINDS[kind].domain
    if len(domain) == 3:
        parts = {
            1: [(1, 1, 1)],
            2: [(2, 1, 1), (1, 1, 2)],
            3: [(1, 3, 1)],
            4: [(1, 2, 2), (2, 2, 1), (4, 1, 1)],
            8: [(2, 2, 2), (1, 2, 4)],
        }
    else:
        parts = {
            1: [(1, 1)],
            2: [(2, 1), (1, 2)],
            3: [(3, 1), (1, 3)],
            4: [(2, 2), (4, 1), (1, 4)],
            8: [(2, 4), (4, 2), (8, 1)],
        }
    for number, lattice_parts in enumerate(parts.get(ranks, [])):
        yield tuple(lattice(domain, lattice_parts, uneven=number % 2 == 0))
    if ranks == 4:
        yield tuple(bricks(domain))
    if ranks == 5:
        yield tuple(pinwheel(domain))


def cases(kind: str, precision: str, mode: str, ranks: int) -> list[Case]:
    """Both dtypes, all decompositions."""
    return [
        Case(kind, precision, mode, decomposition, dtype)
        for dtype in ("float64", "float32")
        for decomposition in blocks(kind, ranks)
    ]


def modes(kind: str) -> list[str]:
    """Those that the model allows."""
    return ["gather"] if kind in GATHERED else MODES


TILES = {"periodic": (16, 24), "stride 4": (24, 32), "open and wall": (20, 26), "stochastic": (16, 16),
         "3-D with walls": (10, 8, 14)}  # fmt: skip


def same_bits(kind: str, dtype: str, ranks: list[int]) -> list[Case]:
    """The same tiles on several numbers of ranks."""
    tile = TILES[kind]
    return [
        Case(kind, "fp32", "tiles", decomposition, dtype, tile)
        for count in ranks
        for decomposition in blocks(kind, count)
    ]


def grid(ranks: list[int]) -> list[tuple[str, str, str, int]]:
    """Kind, precision, mode and ranks of every test."""
    return [
        (kind, precision, mode, count)
        for precision, kinds in (("fp64", ALL), ("fp32", SOME), ("bf16", ["periodic"]))
        for kind in kinds
        for mode in modes(kind)
        for count in ranks
    ]


FACES = [
    Case("periodic", "fp32", "tiles", tuple(bricks((48, 64)))),
    Case("stride 4", "fp32", "tiles", tuple(lattice((64, 80), (2, 2), uneven=True)), tile=(24, 32)),
    Case("stochastic", "fp32", "batch", tuple(lattice((48, 64), (1, 4), uneven=True))),
    Case("3-D with walls", "fp32", "tiles", tuple(lattice((24, 20, 28), (1, 2, 2), uneven=True))),
    Case("3-D with walls", "fp32", "gather", tuple(lattice((24, 20, 28), (2, 2, 1)))),
]
"""Of four ranks, which the programs in the other languages predict too."""
QUICK, LONG = grid([1, 2, 4]), grid([3, 5, 8])


def job(
    folder, chosen: list[tuple[str, str, str, int]], more: list[Case], timeout: float, node: int = 0
) -> Jobs:
    """Run the cases, and one process beside them; on nodes of so many ranks, if any number is given."""
    environment = {
        "SURROGATE_ENGINE_PATH": str(engine_folder()),
        "SURROGATE_MPI_RANKS_PER_NODE": str(node),
    }
    bundles = {(kind, p): kind_bundle(folder, kind, p) for kind, p, *_ in chosen}
    bundles |= {
        (c.kind, c.precision): kind_bundle(folder, c.kind, c.precision)
        for c in more
        if (c.kind, c.precision) not in bundles
    }
    wanted = [case for row in chosen for case in cases(*row)] + more
    wanted.sort(key=lambda case: (case.kind, case.precision, case.mode, case.ranks, case.tile))
    serial = dict.fromkeys(case.serial for case in wanted)
    jobs = Jobs(folder, bundles, environment)
    jobs.run([program("mpi_parity")], [*serial, *wanted], timeout=timeout)
    return jobs


@pytest.fixture(scope="module")
def quick(tmp_path_factory) -> Jobs:
    """Up to four ranks."""
    more = [
        c for kind in TILES for d in ("float32", "float64") for c in same_bits(kind, d, [1, 2, 4])
    ]
    more += cases("short halo", "fp64", "tiles", 4) + FACES
    return job(tmp_path_factory.mktemp("quick"), QUICK, more, 300)


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> Jobs:
    """Three, five and eight ranks."""
    more = [c for kind in TILES for c in same_bits(kind, "float64", [1, 2, 3, 4, 5, 8])]
    return job(tmp_path_factory.mktemp("long"), LONG, more, 1200, node=3)


def same_frames(jobs: Jobs, folder: Path, command: list[str | Path]) -> None:
    """Another program's frames of FACES have the bits of the C program's."""
    others = Jobs(folder, jobs.bundles, jobs.environment)
    others.run(command, FACES, timeout=300)
    for case in FACES:
        assert others.answers[case].status == "SURROGATE_OK"
        assert others.answers[case].mode == case.mode
        assert others.answers[case].digest == jobs.answers[case].digest


def check(record_property, jobs: Jobs, kind: str, precision: str, mode: str, ranks: int) -> None:
    """The frames of a kind, or its refusal, are those of one process."""
    for case in cases(kind, precision, mode, ranks):
        serial, found = jobs.answers[case.serial], jobs.answers[case]
        assert (found.status, found.reason) == (serial.status, serial.reason), case
        assert found.status == ("SURROGATE_REJECTED" if kind == "refused" else "SURROGATE_OK")
        assert found.mode == mode
        if found.status == "SURROGATE_REJECTED":
            assert not (found.frame != serial.frame).any(), case  # untouched
            continue
        difference = jobs.difference(case)
        record_property(case.dtype, difference)
        limit = TIGHT[precision] if case.dtype == "float64" else max(TIGHT[precision], SINGLE)
        assert difference <= limit, case


@pytest.mark.parametrize(("kind", "precision", "mode", "ranks"), QUICK)
def test_ranks_give_the_frame_of_one_process(
    quick, record_property, kind, precision, mode, ranks
) -> None:
    check(record_property, quick, kind, precision, mode, ranks)


def test_halo_of_one_cell_less_is_seen(quick) -> None:
    """Where no tile begins on the stride by chance, and so reads a cell more."""
    found = [quick.difference(case) for case in cases("short halo", "fp64", "tiles", 4)]
    assert max(found) > 1e6 * TIGHT["fp64"]


@pytest.mark.full
@pytest.mark.parametrize(("kind", "precision", "mode", "ranks"), LONG)
def test_three_five_and_eight_ranks_give_the_frame_of_one_process(
    long, record_property, kind, precision, mode, ranks
) -> None:
    check(record_property, long, kind, precision, mode, ranks)


def check_bits(jobs: Jobs, kind: str, dtype: str, ranks: list[int]) -> None:
    found = {case: jobs.answers[case] for case in same_bits(kind, dtype, ranks)}
    assert {answer.status for answer in found.values()} == {"SURROGATE_OK"}
    assert len({answer.digest for answer in found.values()}) == 1
    for case in found:
        assert jobs.difference(case) <= SINGLE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", TILES)
def test_given_tiles_give_identical_bits_on_any_number_of_ranks(quick, kind, dtype) -> None:
    check_bits(quick, kind, dtype, [1, 2, 4])


@pytest.mark.full
@pytest.mark.parametrize("kind", TILES)
def test_given_tiles_give_identical_bits_on_up_to_eight_ranks(long, kind) -> None:
    check_bits(long, kind, "float64", [1, 2, 3, 4, 5, 8])


def test_fortran_gives_the_bits_of_c(quick, tmp_path) -> None:
    source = Path(__file__).with_name("parity.f90")
    same_frames(quick, tmp_path, [compile_with_mpi(source, tmp_path / "parity")])


def test_python_gives_the_bits_of_c(quick, tmp_path) -> None:
    for name in ("mpi4py", "surrogate._native_mpi"):
        pytest.importorskip(name, reason=f"{name} is missing: pip install mpi4py, then surrogate")
    source = Path(__file__).with_name("parity_program.py")
    same_frames(quick, tmp_path, [sys.executable, "-P", source])
