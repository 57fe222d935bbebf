"""Ranks come to one outcome of a call, or learn within the deadline who is silent."""

import struct
from pathlib import Path

import pytest
from mpirun import answers, long, program

RANKS = [1, 2, 4]
MORE_RANKS = [4, *long(2, 7)]
DEADLINE = 1.0
TIMEOUT = "SURROGATE_ERROR_TIMEOUT"


def play(scene: str, ranks: int, folder: Path, silent: list[int] | None = None) -> list[list[str]]:
    """What the ranks answered, by rank, in the order of their agreements."""
    command = [program("mpi_agreement"), scene, folder, str(DEADLINE)]
    return answers(command, ranks, folder, silent=silent or [])


@pytest.mark.parametrize("ranks", RANKS)
def test_verdict_offence_and_sums_are_the_same_on_all_ranks(ranks: int, tmp_path: Path) -> None:
    said = play("good", ranks, tmp_path)
    assert all(lines == said[0] for lines in said)
    first, second, third = (line.split() for line in said[0])
    assert first[:3] == ["SURROGATE_OK|0", "changed", "0"]
    assert second[2] == "1"
    assert third[4:6] == (["1", "11"] if ranks > 1 else ["-1", "0"])
    harmonic, _, count = (float.fromhex(value) for value in first[7:])
    assert harmonic == pytest.approx(sum(1 / (1 + rank) for rank in range(ranks)), rel=1e-15)
    assert count == sum(range(ranks))
    assert first[7:] == second[7:] == third[7:]


@pytest.mark.parametrize("ranks", RANKS)
def test_worst_status_of_the_lowest_rank_wins(ranks: int, tmp_path: Path) -> None:
    said = play("errors", ranks, tmp_path)
    assert all(lines == said[0] for lines in said)
    last, prefix = ranks - 1, "" if ranks == 1 else "rank 0: "
    one, every, rejected, worst, after = said[0]
    assert one == "SURROGATE_ERROR_SHAPE|" + (f"rank {last}: " if last else "") + "no such shape"
    assert every == f"SURROGATE_ERROR_DTYPE|{prefix}I am 0"
    assert rejected.startswith("SURROGATE_OK|1 rank 0")
    assert worst.startswith("SURROGATE_ERROR_MEMORY|")
    assert worst.count("x") == 400
    assert after == "SURROGATE_OK|0 rank 0 "


@pytest.mark.parametrize("ranks", [*long(2), 4])
def test_quantity_that_differs_is_named_with_both_values(ranks: int, tmp_path: Path) -> None:
    said = play("quantities", ranks, tmp_path)
    assert all(lines[:-1] == said[0][:-1] for lines in said)
    last, error = ranks - 1, "SURROGATE_ERROR_ARGUMENT|"
    equal, step, tolerance, fields, zeros, nans, partly, calls = said[0]
    assert equal == zeros == nans == partly == "SURROGATE_OK|0 rank 0 "
    assert step.startswith(f"{error}step: rank {last - 1} gave 3, rank {last} gave 4")
    assert tolerance.startswith(f"{error}tolerance: rank 0 gave 0.25, rank 1 gave 0.5")
    assert fields.startswith(f"{error}fields: rank {last - 1} gave another than rank {last}")
    assert calls.startswith(f"{error}rank 0 and rank {last} are in different calls")
    assert "surrogate_mpi_predict" in calls
    assert "surrogate_mpi_close" in said[last][-1]


@pytest.mark.parametrize("ranks", RANKS)
def test_copies_and_records_reach_every_rank_whole(ranks: int, tmp_path: Path) -> None:
    assert play("copies", ranks, tmp_path) == [["same"] * (ranks + 2)] * ranks


@pytest.mark.parametrize("ranks", [*long(2), 4])
def test_ranks_of_a_node_share_one_copy(ranks: int, tmp_path: Path) -> None:
    assert (
        play("share", ranks, tmp_path) == [["SURROGATE_OK|0 rank 0 "] * 2 + ["0 same one"]] * ranks
    )


@pytest.mark.parametrize("ranks", [*long(2), 4])
def test_ranks_get_copies_where_memory_cannot_be_shared(ranks: int, tmp_path: Path) -> None:
    said = [lines[-1] for lines in play("share_limited", ranks, tmp_path)]
    assert said == [f"{ranks - 1} same own"] * (ranks - 1) + [f"{ranks - 1} same one"]


@pytest.mark.parametrize("ranks", MORE_RANKS)
def test_ranks_that_wait_for_slow_ones_are_not_silent(ranks: int, tmp_path: Path) -> None:
    assert play("slow", ranks, tmp_path) == [["SURROGATE_OK|0 rank 0 "] * 4] * ranks


@pytest.mark.parametrize("ranks", MORE_RANKS)
@pytest.mark.parametrize("scene", ["root", "last", "inner", "exchange", "open"])
def test_silent_rank_is_named_on_all_others_within_four_deadlines(
    scene: str, ranks: int, tmp_path: Path
) -> None:
    silent = {"root": 0, "inner": ranks // 2}.get(scene, ranks - 1)
    said = play(f"silent_{scene}", ranks, tmp_path, [silent])
    for rank in set(range(ranks)) - {silent}:
        lines = said[rank]
        if scene == "inner":
            assert lines[:2] == ["SURROGATE_OK|0 rank 0 "] * 2
            lines = lines[2:]
        assert lines[0].startswith(f"{TIMEOUT}|rank {silent} was not heard of"), (rank, lines)
        assert float(lines[1]) < 4 * DEADLINE
        if scene not in ("exchange", "open"):
            assert (
                lines[2] == lines[0]
            )  # and every later call ends at once, the end without a message too
            assert float(lines[3]) - float(lines[1]) < DEADLINE / 4


@pytest.mark.parametrize("microseconds", [150, 1_100, 7_300, 40_900, 133_700])
def test_rank_that_falls_silent_anywhere_in_an_agreement_is_named(
    microseconds: int, tmp_path: Path
) -> None:
    command = [program("mpi_agreement"), "silent_anywhere", tmp_path, str(DEADLINE)]
    environment = {"MICROSECONDS": str(microseconds)}
    said = answers(command, 7, tmp_path, silent=[4], environment=environment)
    (stopped,) = struct.unpack("d", (tmp_path / "4.stopped").read_bytes())
    for lines in said[:4] + said[5:]:
        assert lines[0].startswith(f"{TIMEOUT}|rank 4 was not heard of"), lines
        assert float(lines[1]) - stopped < 4 * DEADLINE
