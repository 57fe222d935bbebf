"""One recording by many ranks: the serial recorder's file, to the bit, whatever happens to a rank."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from compiling import run
from h5files import assert_same_files
from launching import Job, compile_with_mpi, mpirun

HERE = Path(__file__).resolve().parent
SPLIT = "SURROGATE_MPI_RANKS_PER_NODE"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def recorder(folder: Path) -> Path:
    return compile_with_mpi(HERE / "recorder.c", folder / "recorder")


@pytest.fixture(scope="module")
def faults(folder: Path) -> Path:
    return compile_with_mpi(HERE / "recorder_faults.c", folder / "recorder_faults")


# shape, ranks along each axis, options.precision, options.compression, ranks a node (0: all)
CASES = {
    "one rank": ("6,8", "1,1", 0, 0, 0),
    "1-D": ("24", "4", 0, 0, 0),
    "1-D, float32": ("24", "2", 1, 0, 1),
    "2-D slabs": ("12,9", "2,1", 0, 0, 0),
    "2-D columns": ("5,12", "1,4", 2, 0, 2),
    "2-D blocks, four nodes": ("12,9", "2,2", 0, 0, 1),
    "2-D blocks, uneven nodes": ("12,9", "2,2", 0, 0, 3),
    "2-D, compressed": ("12,9", "2,2", 1, 4, 2),
    "3-D": ("6,5,7", "2,2,1", 0, 0, 2),
    "3-D, one axis whole": ("6,5,7", "1,2,2", 0, 0, 0),
    "3-D, planes": ("24,5,7", "4,1,1", 2, 0, 0),
    "several messages a block": ("900,1000", "2,2", 0, 0, 0),
}


@pytest.mark.parametrize("case", CASES)
def test_ranks_write_the_file_of_one_process(recorder: Path, tmp_path: Path, case: str) -> None:
    shape, grid, precision, compression, node = CASES[case]
    ranks = int(np.prod([int(n) for n in grid.split(",")]))
    options = [str(precision), str(compression), "2"]
    whole = ",".join("1" for _ in grid.split(","))
    run([recorder, "serial", tmp_path / "serial.h5", shape, whole, *options])
    output = mpirun(
        ranks,
        [recorder, "ranks", tmp_path / "ranks.h5", shape, grid, *options],
        environment={SPLIT: str(node)},
    )
    assert output.count("SURROGATE_OK") == 4 * ranks, output
    assert_same_files(tmp_path / "ranks.h5", tmp_path / "serial.h5")
    assert not (tmp_path / "ranks.h5.frames").exists()


@pytest.mark.parametrize(("ranks", "node"), [(2, 0), (2, 1), (4, 2)])
def test_what_one_rank_does_wrong_is_a_status_on_all(
    faults: Path, tmp_path: Path, ranks: int, node: int
) -> None:
    last_leader = {0: 0, 1: ranks - 1, 2: ranks - 2}[node]
    mpirun(ranks, [faults, tmp_path, str(last_leader)], environment={SPLIT: str(node)})
    with h5py.File(tmp_path / "disagree.h5") as file:
        np.testing.assert_array_equal(file["dimensions/time"], [0, 1])


def processes(job: Job, ranks: int) -> dict[int, int]:
    """Process of each rank, read from what the job prints first."""
    found: dict[int, int] = {}
    while len(found) < ranks:
        words = job.process.stdout.readline().split()
        if words[:3] == ["process", "of", "rank"]:
            found[int(words[3].rstrip(":"))] = int(words[4])
    return found


def stored_frames(job: Job, least: int) -> int:
    """Wait until `least` writes have returned on rank 0; how many did."""
    stored = 0
    while stored < least:
        line = job.process.stdout.readline()
        assert line, "the job ended before it was meant to"
        stored += line.startswith("stored ")
    return stored


def assert_frames_are_whole(path: Path, least: int, shape: tuple[int, int]) -> None:
    """PATH holds `least` frames or more, of right values, and every file under a final name can be read."""
    with h5py.File(path) as file:
        times = file["dimensions/time"][()]
        assert len(times) >= least
        np.testing.assert_array_equal(times, 0.5 * np.arange(len(times)))
        n, y, x = np.meshgrid(np.arange(len(times)), *map(np.arange, shape), indexing="ij")
        rho = 1024.0 * (1024.0 * n + y) + x + 0.1
        np.testing.assert_array_equal(file["t0_fields/rho"][0], rho)
        np.testing.assert_array_equal(file["t1_fields/v"][0, ..., 1], (2 * rho).astype("f4"))
        np.testing.assert_array_equal(file["t2_fields/g"][0, ..., 1, 1], rho + 3000)
    for frame in Path(f"{path}.frames").glob("*.h5"):
        with h5py.File(frame) as file:
            assert file["t0_fields/rho"].shape[1] == 1


@pytest.mark.parametrize("victim", [0, 1, 2, 3])
def test_frames_that_were_acknowledged_survive_kill_9_of_a_rank(
    recorder: Path, tmp_path: Path, victim: int
) -> None:
    path = tmp_path / "killed.h5"
    command = [recorder, "watched", path, "200,150", "2,2", "0", "0", "100000"]
    with Job(4, command, {SPLIT: "2"}) as job:
        process = processes(job, 4)
        stored_frames(job, 3)
        time.sleep(0.01 * victim)  # in the middle of some write
        os.kill(process[victim], signal.SIGKILL)
        rest = job.wait()
    assert job.process.returncode != 0
    assert "close" not in rest
    assert_frames_are_whole(path, 3 + rest.count("stored "), (200, 150))


@pytest.mark.parametrize("victim", [0, 1, 3])
def test_a_silent_rank_is_named_and_the_frames_stay(
    recorder: Path, tmp_path: Path, victim: int
) -> None:
    path = tmp_path / "silent.h5"
    command = [recorder, "watched", path, "200,150", "2,2", "0", "0", "100000", "2"]
    with Job(4, command, {SPLIT: "2"}) as job:
        process = processes(job, 4)
        stored = stored_frames(job, 2)
        os.kill(process[victim], signal.SIGSTOP)
        lines: list[str] = []
        while sum(line.startswith("close ") for line in lines) < 3:
            lines.append(job.process.stdout.readline())
            assert lines[-1], "".join(lines)
        stored += sum(line.startswith("stored ") for line in lines)
        failed = [line for line in lines if line.startswith(("write ", "again "))]
        assert len(failed) == 6
        assert all(f"rank {victim}" in line.split("SURROGATE_ERROR_TIMEOUT")[1] for line in failed)
    if victim == 0:
        assert_frames_are_whole(path, stored, (200, 150))
    else:  # rank 0 has joined them
        with h5py.File(path) as file:
            assert len(file["dimensions/time"]) >= stored
        assert not Path(f"{path}.frames").exists()
