"""Whatever goes wrong on one rank: all ranks return the same, no output is written, and the next call works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bundles import field
from mpirun import answers, long, mpirun, program
from shifting import FIELDS, shifting_bundle

RANKS = [1, *long(2), 4]
DEADLINE = 1.0  # of predict_silent.cpp, seconds
TILES, GATHER, BATCH = "1", "2", "3"
MODES = TILES + GATHER + BATCH


def play(scenes: str, folder: Path, modes: str, ranks: int, **bundle: Any) -> None:
    """Play scenes of predict_faults.c, which checks what must hold."""
    path = shifting_bundle(folder, 2, **bundle)
    mpirun([program("mpi_predict_faults"), scenes, path, modes], ranks)


@pytest.mark.parametrize("ranks", RANKS)
def test_fault_of_one_rank_ends_the_call_on_all(ranks: int, tmp_path: Path) -> None:
    play("nan,spread,arguments,array,blocks,place", tmp_path, MODES, ranks)


@pytest.mark.parametrize("ranks", RANKS)
def test_rejection_names_the_lowest_rank_and_the_cell_of_the_domain(
    ranks: int, tmp_path: Path
) -> None:
    play("bounds", tmp_path, MODES, ranks, guards={"bounds": {"rho": {"upper": 50.0}}})


@pytest.mark.parametrize("ranks", RANKS)
def test_integral_is_judged_over_the_whole_domain(ranks: int, tmp_path: Path) -> None:
    fields = [field("rho", conserved=True), *FIELDS[1:]]
    guards = {"conserved": {"tolerance": 1e-9}}
    play("integral", tmp_path, MODES, ranks, fields=fields, guards=guards)


@pytest.mark.parametrize("ranks", [*long(2), 4])
def test_ranks_that_disagree_are_told_about_what(ranks: int, tmp_path: Path) -> None:
    guidance = {"name": "guidance", "range": [0.0, 2.0], "preset": 1.0}
    parameters = [{"name": "nu", "range": [0.0, 1.0], "preset": 0.5}, guidance]
    path = with_sampler(shifting_bundle(tmp_path, 2, parameters=parameters[:1]), parameters)
    mpirun([program("mpi_predict_faults"), "disagree", path, TILES], ranks)


def with_sampler(bundle: Path, parameters: list[dict[str, Any]]) -> Path:
    """The bundle as one of a sampler of 1 and 2 steps with guidance and captions, which run the same program."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    [stub] = manifest["programs"]
    manifest |= {
        "programs": [{**stub, "name": f"stub_{steps}", "steps": steps} for steps in (1, 2)],
        "parameters": parameters,
        "sampler": {
            "method": "flow",
            "kind": "euler",
            "steps": [1, 2],
            "preset": 2,
            "members": 4,
            "guidance": 2.0,
        },
        "text": {"length": 2, "vocabulary": ["<pad>", "<unknown>", "red"]},
    }
    path.write_text(json.dumps(manifest))
    return bundle


def test_tiles_that_would_be_out_of_phase_are_refused(tmp_path: Path) -> None:
    play("phase", tmp_path, TILES + BATCH, 2, stride=5)


@pytest.mark.parametrize("ranks", RANKS)
def test_program_that_fails_on_one_rank_fails_on_all(ranks: int, tmp_path: Path) -> None:
    # it fails in the last tile of the first call: open ran it once
    play("program", tmp_path, TILES, ranks, stub={"fail": "run", "after": 15, "times": 1})


@pytest.mark.parametrize(
    ("step", "mode", "silent"),
    [(0, TILES, 1), (4, TILES, 0), (9, TILES, 3), (4, GATHER, 1), (9, GATHER, 0), (9, BATCH, 3)],
)
def test_rank_that_stops_in_a_prediction_is_named_on_the_others(
    step: int, mode: str, silent: int, tmp_path: Path
) -> None:
    bundle = shifting_bundle(tmp_path, 2)
    command = [program("mpi_predict_silent"), mode, tmp_path, bundle, str(step), str(silent)]
    said = answers(command, 4, tmp_path, silent=[silent])
    for rank in set(range(4)) - {silent}:
        first, seconds, second, closed, later = said[rank]
        assert first.startswith("SURROGATE_ERROR_TIMEOUT|"), (rank, first)
        assert f"rank {silent} was not heard of" in first
        assert float(seconds) < 4 * DEADLINE
        assert second.startswith("SURROGATE_ERROR_TIMEOUT|"), (rank, second)
        assert closed == "SURROGATE_OK"
        assert float(later) < DEADLINE / 4


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("mode", MODES)
def test_want_of_memory_on_one_rank_ends_the_call_on_all(
    mode: str, ranks: int, tmp_path: Path
) -> None:
    bundle = shifting_bundle(tmp_path, 2)
    done = mpirun([program("mpi_predict_heap"), bundle, mode], ranks)
    assert "allocations failed" in done.stdout
