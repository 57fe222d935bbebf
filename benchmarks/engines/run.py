"""Programs of `surrogate lower` against eager torch: batch 1, one and all threads, whole calls in turns.

``python benchmarks/engines/run.py`` lowers every candidate, measures and writes
``benchmarks/results/engines_<cpu>.json``. A program is opened through libsurrogate, so that a call holds packing,
guards and the output pass; where the installed library cannot open it, its loader is called from Python and the result
says so.
Eager torch is called on tensors that are ready, in the default memory format and in channels-last; the better counts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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
from surrogate.environment.machine import allowed_cores, cpu_model
from surrogate.environment.provenance import provenance
from surrogate.errors import SurrogateError
from surrogate.lower.engines import load_written
from surrogate.lower.gate import gate_inputs
from surrogate.lower.lowering import GateError, Lowered, lower
from surrogate.lower.portable import default_shape, load_portable
from surrogate.lower.timing import interleaved
from surrogate.model import Surrogate
from surrogate.verification import physical_state

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = [(e, p) for e in ("torchscript", "aoti") for p in ("fp32", "bf16")]
TARGETS = {"unet_256": 4.0, "default": 3.5, "first_call_over_steady": 1.05}
PEAK_SIZE = 1024
Call = Callable[[], object]


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=25, help="rounds of calls")
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--out", type=Path, help="JSON file")
    arguments = parser.parse_args()
    threads = list(dict.fromkeys([1, allowed_cores()]))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["SURROGATE_OVERLAY"] = str(Path(scratch) / "overlay")
        result: dict[str, Any] = {
            name: measure(NETS[name](Path(scratch) / name), threads, arguments.calls)
            for name in arguments.nets
        }
    result |= {"targets": TARGETS, "environment": environment(threads, arguments.calls)}
    slug = re.sub(r"[^a-z0-9]+", "-", cpu_model().lower()).strip("-")
    out = arguments.out or ROOT / "benchmarks" / "results" / f"engines_{slug}.json"
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({n: result[n]["best_over_eager_fp32"] for n in arguments.nets}))
    print(f"saved {out}")


def measure(bundle: Path, threads: list[int], calls: int) -> dict[str, Any]:
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
    made: dict[str, Lowered] = {}
    for engine, precision in CANDIDATES:
        name = f"{engine}-{precision}"
        try:
            made[name] = lower(bundle, engine=engine, precision=precision, threads=threads)
            verdict = made[name].verdict
            rows[name] = {
                "error": max(verdict.error.values()),
                "error_over_limit": verdict.worst,
                "error_kind": verdict.kind,
                "fp32_convolutions": made[name].kept_in_fp32,
                "threads": {},
            }
        except GateError as refused:
            rows[name] = {"error": None, "refused": str(refused), "threads": {}}
    by_threads = {}
    for count in threads:
        torch.set_num_threads(count)
        by_threads[str(count)] = _measure_once(
            bundle, manifest, inputs, eager, made, rows, counter.get_total_flops(), count, calls
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


def _measure_once(
    bundle: Path,
    manifest: Manifest,
    inputs: tuple[torch.Tensor, ...],
    eager: dict[str, Call],
    made: dict[str, Lowered],
    rows: dict[str, dict[str, Any]],
    flops: int,
    threads: int,
    calls: int,
) -> dict[str, Any]:
    programs: dict[str, Call] = {}
    firsts, through = {}, {}
    for name, entry in made.items():
        programs[name], through[name] = opened(bundle, manifest, entry, inputs, threads)
        begin = time.perf_counter()
        programs[name]()
        firsts[name] = time.perf_counter() - begin
    with torch.no_grad():
        samples = interleaved({**eager, **programs, **peaks()}, calls=calls, seconds=300.0)
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
            "through": through[name],
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
    bundle: Path, manifest: Manifest, entry: Lowered, inputs: tuple[torch.Tensor, ...], threads: int
) -> tuple[Call, str]:
    """A call of the program by libsurrogate, else by its loader; and which of the two."""
    try:
        model = Surrogate.open(bundle, program=entry.name, threads=threads)
    except SurrogateError as error:
        run = load_written(entry.name.partition("-")[0], entry.folder, "cpu")

        def call() -> object:
            with torch.no_grad():
                return run(*inputs)

        return call, f"the program's loader, without packing and guards ({error})"
    state = physical_state(manifest, inputs[0].numpy())[0].astype(np.float32)  # (C, ny, nx)
    out = np.empty_like(state)
    return lambda: model.predict(state, out=out, step=0), "libsurrogate"


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
