"""One recording by many ranks: the serial recorder's file, to the bit, whatever happens to a rank."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from compiling import run
from h5files import assert_same_files
from mpirun import mpirun, program, started

SPLIT = "SURROGATE_MPI_RANKS_PER_NODE"
SHAPE = (200, 150)  # of the runs that are ended


@pytest.fixture(scope="module")
def recorder() -> Path:
    return program("mpi_recorder")


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
    command = [recorder, "ranks", tmp_path / "ranks.h5", shape, grid, *options]
    output = mpirun(command, ranks, environment={SPLIT: str(node)}).stdout
    assert output.count("SURROGATE_OK") == 4 * ranks, output
    assert_same_files(tmp_path / "ranks.h5", tmp_path / "serial.h5")
    assert not (tmp_path / "ranks.h5.frames").exists()


@pytest.mark.parametrize(("ranks", "node"), [(2, 0), (2, 1), (4, 2)])
def test_what_one_rank_does_wrong_is_a_status_on_all(tmp_path: Path, ranks: int, node: int) -> None:
    last_leader = {0: 0, 1: ranks - 1, 2: ranks - 2}[node]
    command = [program("mpi_recorder_faults"), tmp_path, str(last_leader)]
    mpirun(command, ranks, environment={SPLIT: str(node)})
    with h5py.File(tmp_path / "disagree.h5") as file:
        np.testing.assert_array_equal(file["dimensions/time"], [0, 1])


class Run:
    """A recording by four ranks on two nodes that goes on until something ends it."""

    def __init__(self, job: subprocess.Popen[str]) -> None:
        self.job = job
        self.process: dict[int, int] = {}  # of each rank
        self.stored = 0  # frames whose write has returned on rank 0
        self.failed: list[str] = []  # what ranks said of writes that failed
        self.closed = 0  # ranks that have closed

    def follow(self) -> bool:
        """Take the next line; False at the end of all."""
        assert self.job.stdout is not None
        line = self.job.stdout.readline()
        words = line.split()
        if words[:3] == ["process", "of", "rank"]:
            self.process[int(words[3].rstrip(":"))] = int(words[4])
        self.stored += line.startswith("stored ")
        self.closed += line.startswith("close ")
        if line.startswith(("write ", "again ")):
            self.failed.append(line)
        return bool(line)


@contextmanager
def running(recorder: Path, path: Path, *, deadline: float = 0) -> Iterator[Run]:
    """The run, when three frames are stored; it is killed when it takes too long."""
    shape = ",".join(map(str, SHAPE))
    command = [recorder, "watched", path, shape, "2,2", "0", "0", "100000", str(deadline)]
    with started(command, 4, environment={SPLIT: "2"}) as job:
        limit = threading.Timer(60, job.kill)
        limit.start()
        try:
            run_of = Run(job)
            while run_of.stored < 3 or len(run_of.process) < 4:
                assert run_of.follow(), "the job ended before it was meant to"
            yield run_of
        finally:
            limit.cancel()


def assert_frames_are_whole(path: Path, least: int) -> None:
    """PATH holds `least` frames or more, of right values, and every file under a final name can be read."""
    with h5py.File(path) as file:
        times = file["dimensions/time"][()]
        assert len(times) >= least
        np.testing.assert_array_equal(times, 0.5 * np.arange(len(times)))
        n, y, x = np.meshgrid(np.arange(len(times)), *map(np.arange, SHAPE), indexing="ij")
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
    with running(recorder, path) as run_of:
        time.sleep(0.01 * victim)  # in the middle of some write
        os.kill(run_of.process[victim], signal.SIGKILL)
        while run_of.follow():
            pass
        assert run_of.job.wait(20) != 0
    assert not run_of.closed
    assert_frames_are_whole(path, run_of.stored)


@pytest.mark.parametrize("victim", [0, 1, 2, 3])
def test_a_silent_rank_is_named_and_the_frames_stay(
    recorder: Path, tmp_path: Path, victim: int
) -> None:
    path = tmp_path / "silent.h5"
    with running(recorder, path, deadline=2) as run_of:
        os.kill(run_of.process[victim], signal.SIGSTOP)
        while run_of.closed < 3:
            assert run_of.follow(), "the job ended before it was meant to"
    assert len(run_of.failed) == 6  # a write and one after it, on three ranks
    told = [line.partition("SURROGATE_ERROR_TIMEOUT")[2] for line in run_of.failed]
    assert all(f"rank {victim}" in text for text in told), run_of.failed
    if victim == 0:
        assert_frames_are_whole(path, run_of.stored)
    else:  # rank 0 has joined them
        with h5py.File(path) as file:
            assert len(file["dimensions/time"]) >= run_of.stored
        assert not Path(f"{path}.frames").exists()
