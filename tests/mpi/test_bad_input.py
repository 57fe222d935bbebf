"""Models that are misused, and several of them at once: a clear status on every rank, and nobody waits for ever."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from mpirun import answers, long, mpirun, program, started
from shifting import shifting_bundle

OK, ARGUMENT = "SURROGATE_OK", "SURROGATE_ERROR_ARGUMENT"
TIMEOUT = "SURROGATE_ERROR_TIMEOUT"
DEADLINE = 1.0
Said = list[tuple[str, float, str]]


def play(scene: str, folder: Path, ranks: int, deadline: float = 20, **how: object) -> list[Said]:
    """What every rank's calls returned: status, seconds, text."""
    bundle = shifting_bundle(folder / "bundle", 2)
    command = [program("mpi_bad_input"), scene, folder, bundle, str(deadline)]
    return [read(lines) for lines in answers(command, ranks, folder, **how)]


def read(lines: list[str]) -> Said:
    """Lines of one rank's file."""
    said = []
    for line in lines:
        status, seconds, text = line.split("|", 2)
        said.append((status, float(seconds), text))
    return said


@pytest.mark.parametrize("scene", ["halves", "alone", "backwards", "threads"])
@pytest.mark.parametrize("ranks", [*long(2, 3), 4])
def test_models_on_several_communicators_do_not_meet(
    scene: str, ranks: int, tmp_path: Path
) -> None:
    bundle = shifting_bundle(tmp_path / "bundle", 2)
    mpirun([program("mpi_bad_input"), scene, tmp_path, bundle], ranks)
    if scene == "threads" and "no MPI_THREAD_MULTIPLE" in (tmp_path / "0").read_text():
        pytest.skip("this MPI was built without MPI_THREAD_MULTIPLE")


@pytest.mark.parametrize("ranks", [1, *long(2), 4])
def test_other_fields_on_one_rank_are_refused_on_all(ranks: int, tmp_path: Path) -> None:
    said = play("fields", tmp_path, ranks)
    statuses = [status for status, *_ in said[0]]
    assert statuses == [f"SURROGATE_ERROR_{s}" for s in
                        ("FIELD", "FIELD", "ARGUMENT", "ARGUMENT", "SHAPE")] + [OK]  # fmt: skip
    for rank in said:
        assert [(status, text) for status, _, text in rank] == [(s, t) for s, _, t in said[0]]
    if ranks > 1:
        assert all(f"rank {ranks - 1}: " in text for status, _, text in said[0] if status != OK)


@pytest.mark.parametrize("ranks", [1, 2])
def test_after_finalise_every_call_is_refused(ranks: int, tmp_path: Path) -> None:
    for rank in play("finalised", tmp_path, ranks):
        predict, opening, report, close = rank
        for status, _, text in (predict, opening, close):
            assert status == ARGUMENT
            assert "MPI is finalised already" in text
        assert report[0] == OK


@pytest.mark.parametrize("ranks", [*long(2, 3), 4])
def test_rank_that_closes_early_is_named_at_once(ranks: int, tmp_path: Path) -> None:
    *others, closing = play("early_close", tmp_path, ranks)
    assert closing[0][0] == closing[1][0] == ARGUMENT
    assert "was it closed already?" in closing[1][2]
    for predict, again, close in others:
        assert predict[0] == ARGUMENT
        assert f"rank {ranks - 1}" in predict[2]
        assert "different calls" in predict[2]
        assert again[0] == ARGUMENT
        assert f"rank {ranks - 1} has closed" in again[2]
        assert close[0] == OK
    assert all(seconds < 5 for rank in [*others, closing] for _, seconds, _ in rank)


@pytest.mark.parametrize("ranks", [*long(2), 4])
def test_rank_that_ends_a_recording_early_is_named_and_its_frames_stay(
    ranks: int, tmp_path: Path
) -> None:
    program("mpi_recorder")  # is built where the recorder is
    *others, closing = play("early_end", tmp_path, ranks)
    assert [status for status, *_ in closing] == [OK, ARGUMENT]
    for written, refused, close in others:
        assert (written[0], refused[0], close[0]) == (OK, ARGUMENT, ARGUMENT)
        assert "different calls" in refused[2]
        assert f"rank {ranks - 1} has closed" in close[2]
        assert max(seconds for _, seconds, _ in (refused, close)) < 5
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["dimensions/time"], [0])
        assert file["t0_fields/rho"].shape == (1, 1, 24, 40)


@pytest.mark.parametrize("ranks", [*long(2), 4])
@pytest.mark.parametrize("scene", ["open_meanwhile", "crossed"])
def test_calls_that_never_meet_end_within_four_deadlines(
    scene: str, ranks: int, tmp_path: Path
) -> None:
    for rank in play(scene, tmp_path, ranks, DEADLINE, stays=True):
        for status, seconds, text in rank:
            assert status in (TIMEOUT, OK), text
            assert seconds < 4 * DEADLINE
        assert rank[0][0] == TIMEOUT
        assert "was not heard of" in rank[0][2]


def quick(first: list[tuple], modes: list[str], victims: list[int]) -> list:
    """All pairs; those that are not in `first` are long."""
    return [
        pytest.param(mode, victim, marks=[] if (mode, victim) in first else pytest.mark.full)
        for mode in modes
        for victim in victims
    ]


@pytest.mark.parametrize(
    ("mode", "victim"),
    quick([("tiles", 3), ("gather", 0), ("batch", 1)], ["tiles", "gather", "batch"], [0, 1, 3]),
)
def test_rank_that_is_stopped_while_it_predicts_is_named(
    mode: str, victim: int, tmp_path: Path
) -> None:
    ranks = 4
    with job(mode, tmp_path, ranks) as process:
        pids = wait_for_pids(process, tmp_path, ranks)
        time.sleep(0.05 * victim)
        os.kill(pids[victim], signal.SIGSTOP)
        others = [rank for rank in range(ranks) if rank != victim]
        wait_for(process, [tmp_path / str(rank) for rank in others])
    for rank in others:
        predict, again, close = read((tmp_path / str(rank)).read_text().splitlines())
        assert predict[0] == again[0] == TIMEOUT
        assert f"rank {victim} was not heard of" in predict[2]
        assert f"rank {victim} was not heard of" in again[2]
        assert predict[1] < 4 * DEADLINE
        assert again[1] < DEADLINE / 4
        assert close[0] == OK
        assert close[1] < DEADLINE / 4


@pytest.mark.parametrize(
    ("mode", "victim"),
    quick([("tiles", 0), ("gather", 2)], ["tiles", "gather", "batch"], [0, 2]),
)
def test_rank_that_is_killed_while_it_predicts_ends_the_job(
    mode: str, victim: int, tmp_path: Path
) -> None:
    with job(mode, tmp_path, 4) as process:
        pids = wait_for_pids(process, tmp_path, 4)
        os.kill(pids[victim], signal.SIGKILL)
        assert process.wait(timeout=30) != 0


def job(scene: str, folder: Path, ranks: int):
    """A job that predicts until something happens to it."""
    bundle = shifting_bundle(folder / "bundle", 2)
    return started([program("mpi_bad_input"), scene, folder, bundle, str(DEADLINE)], ranks)


def wait_for_pids(process, folder: Path, ranks: int) -> list[int]:
    """Of the ranks, which have predicted once."""
    paths = [folder / f"{rank}.pid" for rank in range(ranks)]
    wait_for(process, paths)
    return [int(path.read_text()) for path in paths]


def wait_for(process, paths: list[Path], timeout: float = 60) -> None:
    """Until all files are there."""
    end = time.monotonic() + timeout
    while not all(path.exists() for path in paths):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"no {[path.name for path in paths if not path.exists()]}")
        time.sleep(0.02)
