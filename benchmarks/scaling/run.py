"""Scaling of ``surrogate_mpi_predict`` on this machine's cores, its differences from one process, and a projection.

``python benchmarks/scaling/run.py`` compiles the measuring program in ``build/scaling``, runs it under mpirun and
writes ``benchmarks/results/scaling_<cpu>.json`` and ``scaling.png`` (a few minutes on two cores). Modes, numbers
of ranks and the serial call take turns within one run of mpirun. Every mode has as many cores as there are ranks:
``tiles`` one thread a rank, ``gather`` and ``batch`` as many threads on the rank that runs programs. More ranks than
cores are marked ``oversubscribed``: they test the exchange, not the speed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from driver import ROOT, build
from measure import (
    MODES,
    Workload,
    agreement_level,
    cases_of,
    differences,
    example_workload,
    folder_bytes,
    local_workload,
    messages,
    scaling,
    tiles_over_serial,
)
from nets import PRECISIONS, identity_bundle
from overlap import answer, overlap
from picture import draw
from projection import Net, Network, assumptions, project

from surrogate.demo.launch import KEEP_MEMORY
from surrogate.environment.machine import allowed_cores, cpu_slug
from surrogate.environment.provenance import provenance
from surrogate.paths import find_bundle

EXAMPLE = 128  # cells a side of the shipped bundle's example
WEAK_BLOCK, STRONG_DOMAIN = 1024, 32768  # of the projection
DIFFERENCES = {"fp64": "float64_difference", "bf16": "bf16_difference"}
TARGETS = {
    "tiles_over_serial_us": 10.0,
    "bytes_over_minimum": 1.2,
    "float64_difference": 1e-12,
    "float32_difference": 1e-5,
}


def main() -> None:
    """Measure, print and save."""
    arguments = parse()
    program, ranks, cells = build(), arguments.ranks, arguments.cells
    whole = dict.fromkeys(ranks, (cells, cells))
    with tempfile.TemporaryDirectory() as scratch:
        local = {name: local_workload(Path(scratch), name, cells) for name in PRECISIONS}
        identity = identity_bundle(Path(scratch))
        strong = scaling(program, local["fp32"], ranks, whole, arguments.rounds)
        blocks = weak_domains(ranks, cells // 2)
        weak = scaling(program, local["fp32"], ranks, blocks, arguments.rounds)
        shipped = example_workload(find_bundle("mhd2d_128"))
        # whole repetitions of its example: guards would refuse a part
        side = EXAMPLE * max(1, cells // EXAMPLE)
        repeated = dict.fromkeys(ranks, (side, side))
        default = scaling(program, shipped, ranks, repeated, max(1, arguments.rounds // 2))
        modes = strong.pop("modes")
        add_differences(modes, program, local, whole)
        overhead = tiles_over_serial(program, identity)
        measured = messages(program) | agreement_level(program, identity)
        sizes = {
            "local": folder_bytes(local["fp32"].bundle),
            "mhd2d_128": folder_bytes(shipped.bundle),
        }
    rows = [
        row for found in (modes, weak["modes"], default["modes"]) for row in found["tiles"].values()
    ]
    result: dict[str, Any] = {
        "modes": modes,
        "tiles_over_serial_us": overhead["tiles_over_serial_us"],
        "bytes_over_minimum": max(row["bytes_over_minimum"] for row in rows),
        **{name: worst(modes, name) for name in ("float32_difference", *DIFFERENCES.values())},
        "targets": TARGETS,
        "strong": {"domain": [cells, cells], "net": "local", **strong},
        "weak": {"block": [cells // 2, cells // 2], "net": "local", **weak},
        "default_bundle": {"domain": [side, side], **default},
        "overhead": overhead,
        "overlap": overlaps(rows),
        "measured": measured,
    }
    result["projection"] = projection(
        arguments, measured, {"local": modes, "mhd2d_128": default["modes"]}, sizes
    )
    result["environment"] = environment(arguments)
    save(result, arguments.out)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=21, help="timed jumps of each case")
    parser.add_argument(
        "--cells",
        type=int,
        default=512,
        help="a side of the domain, a multiple of 16; weak scaling: half of it a rank",
    )
    parser.add_argument("--out", type=Path, help="JSON file; the picture stands beside it")
    network = parser.add_argument_group(
        "the projection's network, in place of what is measured here"
    )
    network.add_argument("--latency", type=float, help="seconds of a small message")
    network.add_argument("--bandwidth", type=float, help="bytes a second of a large message")
    network.add_argument(
        "--file-bandwidth", type=float, help="bytes a second of the file system, for all readers"
    )
    network.add_argument("--ranks-per-node", type=int, default=64)
    return parser.parse_args()


def weak_domains(ranks: list[int], block: int) -> dict[int, tuple[int, int]]:
    """One block of `block`^2 cells a rank, in MPI_Dims_create's arrangement: the larger factor first."""
    factors = {p: max(d for d in range(1, p + 1) if p % d == 0 and d * d <= p) for p in ranks}
    return {p: (block * (p // d), block * d) for p, d in factors.items()}


def add_differences(
    modes: dict[str, Any],
    program: Path,
    local: dict[str, Workload],
    domains: dict[int, tuple[int, int]],
) -> None:
    """Put the differences in float64 and bfloat16 into every row, beside float32's."""
    cases = cases_of(list(domains), domains)
    for precision, name in DIFFERENCES.items():
        workload = local[precision]
        for case, value in differences(program, workload, cases).items():
            modes[case.mode][str(case.ranks)][name] = value


def worst(modes: dict[str, Any], name: str) -> float:
    """Largest value of a key over modes and ranks."""
    return max(row[name] for mode in MODES for row in modes[mode].values())


def overlaps(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether overlapping would pay, for each measured case with a halo on ranks that have a core each."""
    found = []
    for row in rows:
        if not any(row["halo"]) or row["oversubscribed"]:
            continue
        parts = row["part_seconds"]
        found.append(overlap(row["block"], aligned(row), parts["exchange"], parts["program"]))
    return {"rows": found, "answer": answer(found) if found else "no case with a halo was measured"}


def aligned(row: dict[str, Any]) -> list[int]:
    """Cells to each side that rank 0's tile is larger than its block, by axis."""
    return [(n - b + 1) // 2 for n, b in zip(row["tile_shape"], row["block"], strict=True)]


def projection(
    arguments: argparse.Namespace,
    measured: dict[str, float],
    modes: dict[str, dict[str, Any]],
    sizes: dict[str, int],
) -> dict[str, Any]:
    """The model of many ranks, for both nets."""
    nets = {}
    for name, found in modes.items():
        one = found["tiles"]["1"]
        several = [row for row in found["tiles"].values() if not row["oversubscribed"]][-1]
        cells, parts = one["domain"][0] * one["domain"][1], one["part_seconds"]
        program = parts["program"] or one["seconds_per_jump"]
        nets[name] = Net(
            name=name,
            channels={"local": 4, "mhd2d_128": 5}[name],
            reach=max(several["halo"]),
            halo=max(aligned(several)),
            program=program / cells,
            pack=max(0.0, one["seconds_per_jump"] - program) / cells,
            bundle_bytes=sizes[name],
            read=several["open_read_seconds"],
            load=max(0.0, several["open_seconds"] - several["open_read_seconds"]),
        )
    given = [
        n for n in ("latency", "bandwidth", "file_bandwidth") if getattr(arguments, n) is not None
    ]
    latency = arguments.latency or measured["latency_seconds"]
    shipped = nets["mhd2d_128"]
    network = Network(
        latency=latency,
        bandwidth=arguments.bandwidth or measured["bandwidth_bytes_per_second"],
        # a level holds one message up and one down: another latency replaces that of the measurement
        level=measured["level_seconds"] + 2 * (latency - measured["latency_seconds"]),
        file_bandwidth=arguments.file_bandwidth or shipped.bundle_bytes / max(shipped.read, 1e-9),
        ranks_per_node=arguments.ranks_per_node,
    )
    return {
        "is": "a projection, not a measurement; formulae in benchmarks/scaling/projection.py",
        "assumptions": assumptions(network, given),
        "network": vars(network),
        "nets": {
            name: project(net, network, block=WEAK_BLOCK, domain=STRONG_DOMAIN)
            for name, net in nets.items()
        },
    }


def environment(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "command": " ".join(["python benchmarks/scaling/run.py", *sys.argv[1:]]),
        **provenance(ROOT),
        "variables": KEEP_MEMORY,
        "rounds": arguments.rounds,
        "seed": 0,
        "dtype": "float64 fields",
        "guards": "finite; those of mhd2d_128",
    }


def save(result: dict[str, Any], path: Path | None) -> None:
    """Write result and picture; print what the targets are about."""
    out = path or ROOT / "benchmarks" / "results" / f"scaling_{cpu_slug()}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    picture = out.with_name("scaling.png")
    draw(result, picture)
    print(json.dumps({name: result[name] for name in TARGETS}, indent=2))
    print(result["overlap"]["answer"])
    print(f"{allowed_cores()} cores; saved {out} and {picture}")


if __name__ == "__main__":
    main()
