"""Programs of `surrogate lower` against eager torch: batch 1, one and all threads, whole calls in turns.

``python benchmarks/engines/run.py`` lowers every candidate, measures and writes
``benchmarks/results/engines_<cpu>.json``. Programs are called through libsurrogate: a call holds packing, guards and
the output pass. ``--overlay FOLDER`` keeps what was lowered, so that a second run only measures.
Eager torch is called on tensors that are ready, in the default memory format and in channels-last; the better counts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import NETS
from torch.utils.flop_counter import FlopCounterMode

from surrogate.bundle.folder import MANIFEST
from surrogate.bundle.manifest import Manifest
from surrogate.environment.machine import allowed_cores, cpu_slug
from surrogate.environment.provenance import provenance
from surrogate.lower.gate import gate_inputs
from surrogate.lower.host import host_key
from surrogate.lower.lowering import GateError, lower
from surrogate.lower.overlay import bundle_hash, read_entries
from surrogate.lower.portable import default_shape, load_portable
from surrogate.lower.timing import interleaved
from surrogate.model import Surrogate
from surrogate.verification import physical_state

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = [(e, p) for e in ("torchscript", "aoti") for p in ("fp32", "bf16")]
TARGETS = {"unet_256": 4.0, "default": 3.5, "first_call_over_steady": 1.05}
PEAK_SIZE = 1024
SECONDS = 60.0  # that one net is measured at one number of threads, at most
Call = Callable[[], object]


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=25, help="rounds of calls")
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--out", type=Path, help="JSON file")
    parser.add_argument(
        "--overlay", type=Path, help="folder that keeps bundles and lowered programs"
    )
    arguments = parser.parse_args()
    threads = list(dict.fromkeys([1, allowed_cores()]))
    with tempfile.TemporaryDirectory() as scratch:
        overlay = arguments.overlay or Path(scratch)
        result: dict[str, Any] = {
            name: measure(NETS[name](overlay / "bundles" / name), overlay, threads, arguments.calls)
            for name in arguments.nets
        }
    result |= {"targets": TARGETS, "environment": environment(threads, arguments.calls)}
    out = arguments.out or ROOT / "benchmarks" / "results" / f"engines_{cpu_slug()}.json"
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({n: result[n]["best_over_eager_fp32"] for n in arguments.nets}))
    print(f"saved {out}")


def measure(bundle: Path, overlay: Path, threads: list[int], calls: int) -> dict[str, Any]:
    """Lower every candidate and time it at each number of threads."""
    manifest = Manifest.read(bundle / MANIFEST)
    states = gate_inputs(
        bundle, manifest, default_shape(manifest, bundle)
    )  # the first: the example
    inputs = tuple(torch.from_numpy(entry) for entry in states[0])
    eager = eager_calls(bundle, manifest, inputs)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        eager["eager"]()
    rows: dict[str, dict[str, Any]] = {}
    made: dict[str, str] = {}
    for engine, precision in CANDIDATES:
        name = f"{engine}-{precision}"
        try:
            entry = lowered(bundle, overlay, engine, precision, threads)
            made[name] = entry["program"]["name"]
            gate = entry["gate"]
            rows[name] = {
                "error": max(gate["error"].values()),
                "error_over_limit": max(
                    gate["error"][field] / limit for field, limit in gate["limit"].items()
                ),
                "error_kind": gate["kind"],
                "fp32_convolutions": entry["convolutions"]["fp32"],
                "threads": {},
            }
        except GateError as refused:
            rows[name] = {"error": None, "refused": str(refused), "threads": {}}
    by_threads = {}
    for count in threads:
        torch.set_num_threads(count)
        by_threads[str(count)] = _measure_once(
            bundle, overlay, inputs, eager, made, rows, counter.get_total_flops(), count, calls
        )
    for row in rows.values():
        first = row["threads"].get("1", {})
        row["median_ms"] = first.get("median_ms")
        row["share_of_matmul_peak"] = first.get("share_of_matmul_peak")
    ratios = [entry["best_over_eager_fp32"] for entry in by_threads.values()]
    return {
        "programs": rows,
        "best_over_eager_fp32": min(ratios),  # the smaller of one thread and all threads
        "by_threads": by_threads,
        "gigaflop": counter.get_total_flops() / 1e9,
    }


def lowered(
    bundle: Path, overlay: Path, engine: str, precision: str, threads: list[int]
) -> dict[str, Any]:
    """The entry of a program in the overlay, lowered now unless it stands there."""
    name = f"{engine}-cpu-{precision}-{host_key('cpu')}"

    def found() -> dict[str, Any] | None:
        entries = read_entries(overlay, bundle_hash(bundle))
        return next((entry for entry in entries if Path(entry["folder"]).name == name), None)

    entry = found()
    if entry is None:
        lower(bundle, engine=engine, precision=precision, threads=threads, out=overlay)
        entry = found()
    assert entry is not None
    return entry


def _measure_once(
    bundle: Path,
    overlay: Path,
    inputs: tuple[torch.Tensor, ...],
    eager: dict[str, Call],
    made: dict[str, str],
    rows: dict[str, dict[str, Any]],
    flops: int,
    threads: int,
    calls: int,
) -> dict[str, Any]:
    programs: dict[str, Call] = {}
    firsts = {}
    for name, program in made.items():
        programs[name] = opened(bundle, overlay, program, inputs, threads)
        begin = time.perf_counter()
        programs[name]()
        firsts[name] = time.perf_counter() - begin
    with torch.no_grad():
        samples = interleaved({**eager, **programs, **peaks()}, calls=calls, seconds=SECONDS)
    median = {name: float(np.median(values)) for name, values in samples.items()}
    rate = {p: 2 * PEAK_SIZE**3 / min(samples[f"matmul-{p}"]) for p in ("fp32", "bf16")}
    for name in made:
        precision = name.rpartition("-")[2]
        low, high = np.percentile(np.array(samples[name]) * 1e3, [25, 75])
        rows[name]["threads"][str(threads)] = {
            "median_ms": median[name] * 1e3,
            "quartiles_ms": [float(low), float(high)],
            "share_of_matmul_peak": flops / median[name] / rate[precision],
            "first_call_over_steady": firsts[name] / median[name],
            "through": "libsurrogate",
        }
    better = min(("eager", "eager-channels-last"), key=lambda name: median[name])
    best = min(made, key=lambda name: median[name])
    # ratio of each round, whose calls stand next to each other
    ratios = np.array(samples[better]) / np.array(samples[best])
    return {
        "eager_ms": {name: median[name] * 1e3 for name in eager},
        "matmul_gigaflops": {precision: value / 1e9 for precision, value in rate.items()},
        "best": best,
        "best_over_eager_fp32": float(np.median(ratios)),
        "quartiles": [float(value) for value in np.percentile(ratios, [25, 75])],
    }


def eager_calls(
    bundle: Path, manifest: Manifest, inputs: tuple[torch.Tensor, ...]
) -> dict[str, Call]:
    """The portable program run eagerly in float32, in both memory formats."""
    found: dict[str, Call] = {}
    for name, layout in (
        ("eager", torch.contiguous_format),
        ("eager-channels-last", torch.channels_last),
    ):
        graph = load_portable(bundle, manifest).graph
        for entry in graph.parameters():
            if entry.ndim == 4:
                entry.data = entry.data.contiguous(memory_format=layout)
        ready = [x.contiguous(memory_format=layout) if x.ndim == 4 else x for x in inputs]
        found[name] = lambda graph=graph, ready=ready: graph(*ready)
    return found


def peaks() -> dict[str, Call]:
    """Square matrix products, the machine's yardstick."""
    a = torch.randn(PEAK_SIZE, PEAK_SIZE)
    b = a.bfloat16()
    return {"matmul-fp32": lambda: a @ a, "matmul-bf16": lambda: b @ b}


def opened(
    bundle: Path, overlay: Path, program: str, inputs: tuple[torch.Tensor, ...], threads: int
) -> Call:
    """A call of the program by libsurrogate."""
    model = Surrogate.open(bundle, program=program, threads=threads, overlay=overlay)
    manifest = Manifest.read(bundle / MANIFEST)
    state = physical_state(manifest, inputs[0].numpy())[0].astype(np.float32)  # (C, ny, nx)
    out = np.empty_like(state)
    return lambda: model.predict(state, out=out, step=0)


def environment(threads: list[int], calls: int) -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "command": " ".join(["python benchmarks/engines/run.py", *sys.argv[1:]]),
        **provenance(ROOT),
        "threads": threads,
        "rounds": calls,
        "batch": 1,
        "seed": 0,
    }


if __name__ == "__main__":
    main()
