"""The measurements, each reduced to what the result file holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from driver import Case, jumps, start
from nets import NetSpec, local_net_bundle

from surrogate.bundle.folder import MANIFEST
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.environment.machine import allowed_cores
from surrogate.verification import physical_state

MODES = ("tiles", "gather", "batch")
PARTS = ("pack", "exchange", "program", "agree", "output")
SHARED = ("exchange", "program", "agree")
OVERHEAD_CELLS, OVERHEAD_BLOCKS, OVERHEAD_CALLS = 64, 100, 500


@dataclass(frozen=True)
class Workload:
    """A bundle and the state that it is run on."""

    bundle: Path
    state: np.ndarray
    """(C, ny, nx), float64."""
    pairs: bool = False
    """The second half of the channels is the rest of the first half."""


def local_workload(folder: Path, precision: str, cells: int) -> Workload:
    """The test net of a precision on smooth noise of `cells`^2."""
    spec = NetSpec(precision=precision)
    pairs = precision == "fp64"
    bundle = local_net_bundle(folder, spec)
    channels = spec.channels * (2 if pairs else 1)
    noise = np.random.default_rng(0).normal(size=(channels, cells, cells))
    smooth = sum(np.roll(noise, s, axis) for s in (-1, 0, 1) for axis in (1, 2))  # (C, ny, nx)
    return Workload(bundle, 0.5 + np.asarray(smooth), pairs)


def example_workload(bundle: Path) -> Workload:
    """A bundle on the state of its example, which guards accept on any multiple of its size."""
    tensors = read_tensors(bundle / "example.safetensors")
    manifest = Manifest.read(bundle / MANIFEST)
    return Workload(bundle, physical_state(manifest, tensors["input"])[0])


def threads_of(mode: str, ranks: int) -> int:
    """Threads of a rank that runs programs, so that every mode has the same cores: as many as there are ranks."""
    return 1 if mode == "tiles" else min(ranks, allowed_cores())


def cases_of(ranks: Sequence[int], domains: dict[int, tuple[int, int]]) -> list[Case]:
    """Every mode on every number of ranks."""
    return [Case(mode, p, domains[p], threads_of(mode, p)) for p in ranks for mode in MODES]


def scaling(
    program: Path,
    workload: Workload,
    ranks: Sequence[int],
    domains: dict[int, tuple[int, int]],
    rounds: int,
) -> dict[str, Any]:
    """Modes and ranks in turns, with the serial call on the largest domain, on one thread and on all cores."""
    largest = domains[max(ranks)]
    serial = [Case("serial", 1, largest, t) for t in dict.fromkeys((1, allowed_cores()))]
    cases = [*serial, *cases_of(ranks, domains)]
    found = jumps(
        program, workload.bundle, workload.state, cases, rounds=rounds, pairs=workload.pairs
    )
    modes: dict[str, dict[str, Any]] = {mode: {} for mode in MODES}
    for case in cases[len(serial) :]:
        modes[case.mode][str(case.ranks)] = reduce_case(case, found[case])
    whole, threaded = (timing(found[case]) for case in (serial[0], serial[-1]))
    return {"modes": modes, "serial": whole, "serial_all_cores": threaded}


def timing(row: dict[str, Any]) -> dict[str, Any]:
    """Median and quartiles of the seconds of a jump."""
    low, middle, high = np.percentile(row["seconds"], [25, 50, 75])
    return {"seconds_per_jump": float(middle), "spread": [float(low), float(high)]}


def reduce_case(case: Case, row: dict[str, Any]) -> dict[str, Any]:
    """What the result holds of one case."""
    parts = {name: float(np.median(row[name])) for name in PARTS}
    seconds = timing(row)
    shares = {
        f"{name}_share": float(np.median(np.array(row[name]) / np.array(row["seconds"])))
        for name in SHARED
    }
    return {
        **seconds,
        "bytes_per_rank": row["bytes_received"],
        "minimum_bytes": row["minimum_bytes"],
        "bytes_over_minimum": ratio(row["bytes_received"], row["minimum_bytes"]),
        **shares,
        "part_seconds": parts,
        "domain": list(case.domain),
        "threads": row["threads"],
        "tiles": row["tiles"],
        "tile_shape": row["tile_shape"],
        "halo": row["halo"],
        "block": row["block"],
        "oversubscribed": case.ranks > allowed_cores(),
        "open_seconds": row["open_seconds"],
        "open_read_seconds": row["open_read_seconds"],
    }


def ratio(value: float, least: float) -> float:
    """How many times `least` the value is; 1 where nothing had to move and nothing did."""
    return value / least if least else 1.0 if not value else float("inf")


def differences(program: Path, workload: Workload, cases: Sequence[Case]) -> dict[Case, float]:
    """Largest difference of each case from one process, over the increment's maximum."""
    found = jumps(program, workload.bundle, workload.state, cases, rounds=1, pairs=workload.pairs)
    return {case: found[case]["difference"] for case in cases}


def tiles_over_serial(program: Path, identity: Path) -> dict[str, Any]:
    """What `surrogate_mpi_predict` on one rank costs over `surrogate_predict`: blocks of calls in turns."""
    found = start(program, 1, "overhead", identity, OVERHEAD_CELLS, OVERHEAD_BLOCKS, OVERHEAD_CALLS)
    serial, tiles = np.array(found["serial_tiles_us"]).T
    low, middle, high = np.percentile(tiles - serial, [25, 50, 75])
    return {
        "tiles_over_serial_us": round(float(middle), 4),
        "quartiles_us": [round(float(low), 4), round(float(high), 4)],
        "serial_us": round(float(np.median(serial)), 4),
        "cells": [OVERHEAD_CELLS, OVERHEAD_CELLS],
        "blocks": OVERHEAD_BLOCKS,
        "calls_a_block": OVERHEAD_CALLS,
    }


def messages(program: Path) -> dict[str, float]:
    """Latency and bandwidth between two ranks, by ping-pong."""
    seconds = start(program, 2, "messages", 15)["seconds"]
    medians = {int(size): float(np.median(taken)) for size, taken in seconds.items()}
    smallest, largest = min(medians), max(medians)
    return {
        "latency_seconds": medians[smallest],
        "bandwidth_bytes_per_second": largest / medians[largest],
        "smallest_bytes": smallest,
        "largest_bytes": largest,
    }


def agreement_level(program: Path, identity: Path, rounds: int = 200) -> dict[str, float]:
    """Seconds of one level of an agreement, of the rank that waits least: two agreements between two ranks."""
    case = Case("tiles", 2, (2 * OVERHEAD_CELLS, OVERHEAD_CELLS), 1)
    state = np.zeros((1, OVERHEAD_CELLS, OVERHEAD_CELLS))
    row = jumps(program, identity, state, [case], rounds=rounds)[case]
    return {
        "level_seconds": float(np.median(row["least_agree"])) / 2,
        "empty_jump_seconds": float(np.median(row["seconds"])),
    }


def folder_bytes(bundle: Path) -> int:
    """Bytes of a bundle's files."""
    return sum(path.stat().st_size for path in _files(bundle))


def _files(bundle: Path) -> Iterable[Path]:
    return (path for path in bundle.rglob("*") if path.is_file())
