"""Every rank's block of the frame is, bit by bit, that of one process with the whole domain: in every mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from mpirun import mpirun, program
from shifting import shifting_bundle


def predict(bundle: Path, mode: str, ranks: int, shape: str, parts: str, *more: str) -> list[str]:
    """What the ranks report, in their order; the program fails unless all frames are right."""
    command = [program("mpi_predict"), bundle, mode, shape, parts, *more]
    done = mpirun(command, ranks, environment={"SURROGATE_MPI_RANKS_PER_NODE": "2"})
    return sorted(done.stdout.splitlines())


MODES = ["auto", "tiles", "gather", "batch"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("ranks", "parts"), [(1, "1x1"), (2, "1x2"), (4, "2x2"), (4, "1x4")])
def test_frame_is_that_of_one_process(tmp_path: Path, mode: str, ranks: int, parts: str) -> None:
    predict(shifting_bundle(tmp_path, 2), mode, ranks, "24x40", parts)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("shape", "parts"), [("60", "4"), ("24x20x18", "2x2x1"), ("16x12x24", "1x2x2")]
)
def test_domains_of_one_and_three_axes(tmp_path: Path, mode: str, shape: str, parts: str) -> None:
    predict(shifting_bundle(tmp_path, shape.count("x") + 1), mode, 4, shape, parts)


@pytest.mark.parametrize("mode", MODES)
def test_random_numbers_belong_to_the_cells_of_the_domain(tmp_path: Path, mode: str) -> None:
    predict(shifting_bundle(tmp_path, 2, noise=0.5), mode, 4, "24x40", "2x2")


@pytest.mark.parametrize("mode", MODES)
def test_tiles_are_cut_at_walls(tmp_path: Path, mode: str) -> None:
    # the stub knows no walls: cells that it reads from beyond them are not compared
    predict(shifting_bundle(tmp_path, 2, boundary="wall"), mode, 4, "24x40", "4x1", "0x0", "2")


@pytest.mark.parametrize("mode", ["tiles", "batch"])
def test_tiles_begin_on_the_stride_and_obey_the_grid_rule(tmp_path: Path, mode: str) -> None:
    predict(shifting_bundle(tmp_path, 2, multiple_of=8, stride=4), mode, 4, "64x96", "2x2")


@pytest.mark.parametrize("ranks", [2, 4])
def test_halo_reaches_past_the_neighbour(tmp_path: Path, ranks: int) -> None:
    lines = predict(shifting_bundle(tmp_path, 1, shift=[-9]), "tiles", ranks, "40", str(ranks))
    assert len(lines) == ranks


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_regular_tiles_are_the_same_on_any_number_of_ranks(tmp_path: Path, ranks: int) -> None:
    parts = {1: "1x1", 2: "2x1", 4: "2x2"}[ranks]
    lines = predict(
        shifting_bundle(tmp_path, 2, multiple_of=4), "tiles", ranks, "24x40", parts, "8x16"
    )
    counts = [int(line.split(" tiles of")[0].split()[-1]) for line in lines]
    assert sum(counts) == 9
    assert all(" of 12x20x0, " in line for line in lines)


def test_auto_gathers_blocks_that_are_smaller_than_their_halo(tmp_path: Path) -> None:
    lines = predict(shifting_bundle(tmp_path, 1, shift=[-9]), "auto", 4, "40", "4")
    why = ": gather: the block [4:12] of rank 0 is smaller than its halo of [9] cells"
    assert all(why in line for line in lines)
    assert [" 1 tiles of 40x0x0" in line for line in lines] == [False, False, False, True]


def test_auto_gathers_where_every_output_depends_on_the_whole_domain(
    tmp_path: Path,
) -> None:
    lines = predict(
        shifting_bundle(tmp_path, 2, reduces_over_space=True), "auto", 2, "24x40", "1x2"
    )
    assert all(": gather: every output of the model depends on" in line for line in lines)


def test_leaders_run_the_tiles_of_their_nodes(tmp_path: Path) -> None:
    lines = predict(shifting_bundle(tmp_path, 2), "batch", 4, "24x40", "2x2")
    assert [int(line.split(" tiles of")[0].split()[-1]) for line in lines] == [2, 0, 2, 0]


def test_tiles_receive_the_halo_and_nothing_else(tmp_path: Path) -> None:
    for line in predict(
        shifting_bundle(tmp_path, 2, multiple_of=8, stride=4), "tiles", 4, "64x96", "2x2"
    ):
        received, _, least, _ = line.rsplit(", ")[1].split()
        assert received == least != "0"
