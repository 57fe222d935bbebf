"""Overhead of ``surrogate_predict`` over bare torch loops: identity programs, 64² float32, one thread, guards on.

``python benchmarks/overhead/run.py`` compiles the measuring program in ``build/overhead``, runs it and writes
``benchmarks/results/overhead_<cpu>.json``.  For TorchScript and for AOTInductor both loops run in one executable, in
interleaved blocks; the figure is the median over blocks of the difference of neighbouring blocks, with its 95 %
bootstrap interval. ``guards.py`` has the passes over fields apart from any program.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from guards import measure_ghosts, measure_guards, measure_share

from surrogate import paths
from surrogate.bundle.folder import write_bundle
from surrogate.engine import find_torch
from surrogate.environment.machine import cpu_slug
from surrogate.environment.provenance import provenance

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZE = 64
TARGETS = {
    "torchscript_over_bare_us": 3.0,
    "aoti_over_bare_us": 2.0,
    "input_copies_per_call": 0,
    "output_passes_per_call": 1,
    "extra_allocations_per_call": 0,
    "guard_pass_over_memcpy": 1.5,
}

SUFFIXES = {"torchscript": ".pt", "aoti": ".pt2"}
COUNTS = ("input_copies_per_call", "output_passes_per_call", "extra_allocations_per_call")


class AddZero(torch.nn.Module):
    """x + 0: one operator, which writes a new tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x + 0``."""
        return x + 0.0


class Same(torch.nn.Module):
    """x itself: no operator at all."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``x``."""
        return x


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--blocks", type=int, default=200, help="blocks of each loop (at least 100)"
    )
    parser.add_argument("--calls", type=int, default=1000, help="calls a block")
    parser.add_argument(
        "--library", type=Path, default=paths.library(), help="libsurrogate.so to measure"
    )
    parser.add_argument(
        "--out", type=Path, help="JSON file; benchmarks/results/overhead_<cpu>.json if absent"
    )
    arguments = parser.parse_args()
    program = build(arguments.library)
    with tempfile.TemporaryDirectory() as scratch:
        folder, overhead = Path(scratch), (arguments.blocks, arguments.calls)
        script = measure(program, folder, AddZero(), "torchscript", *overhead)
        identity = measure(program, folder, Same(), "torchscript", *overhead)
        package = measure(program, folder, AddZero(), "aoti", *overhead)
        passes = program.with_name("guards")
        guards, ghosts = measure_guards(passes, folder), measure_ghosts(passes, folder)
    result: dict[str, Any] = {
        "torchscript_over_bare_us": script["over_bare_us"],
        "torchscript_interval_us": script["interval_us"],
        "aoti_over_bare_us": package["over_bare_us"],
        "aoti_interval_us": package["interval_us"],
        **{key: max(script[key], package[key]) for key in COUNTS},
        "guard_pass_over_memcpy": guards["guard_pass_over_memcpy"],
        "guard_share_of_forward": round(measure_share(), 4),
        "ghost_padded": ghosts,
        "targets": TARGETS,
        "loops": {"torchscript": script, "torchscript, no operator": identity, "aoti": package},
        "guards": guards["cases"],
    }
    result["environment"] = environment(arguments)
    out = arguments.out or ROOT / "benchmarks" / "results" / f"overhead_{cpu_slug()}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        json.dumps(
            {key: value for key, value in result.items() if key not in ("loops", "guards")},
            indent=2,
        )
    )
    print(f"saved {out}")


def build(library: Path) -> Path:
    """Compile the measuring program against `library` and this Python's torch."""
    folder = ROOT / "build" / "overhead"
    commands = [
        [
            *["cmake", "-S", str(HERE), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Release"],
            f"-DTorch_DIR={find_torch().cmake_dir}",
            f"-DSURROGATE_INCLUDE_DIR={ROOT / 'bindings' / 'include'}",
            f"-DSURROGATE_LIBRARY={library}",
        ],
        ["cmake", "--build", str(folder)],
    ]
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "overhead"


def measure(
    program: Path, scratch: Path, module: torch.nn.Module, kind: str, blocks: int, calls: int
) -> dict[str, Any]:
    """Run the measuring program on one module, as `kind` ``torchscript`` or ``aoti``, and reduce its blocks."""
    name = f"{type(module).__name__.lower()}_{kind}"
    payload = scratch / (name + SUFFIXES[kind])
    export(module.eval(), payload)
    bundle = scratch / f"{name}.surrogate"
    file = f"programs/{payload.name}"
    write_bundle(bundle, {file: payload}, **manifest(name, kind, file))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [str(program), str(bundle), str(payload), str(blocks), str(calls)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    raw = json.loads(done.stdout)
    ours, bare = np.array(raw.pop("surrogate_us")), np.array(raw.pop("bare_us"))
    low, high = bootstrap(ours - bare)
    return {
        "over_bare_us": round(float(np.median(ours - bare)), 4),
        "interval_us": [round(low, 4), round(high, 4)],
        "surrogate_us": round(float(np.median(ours)), 4),
        "bare_us": round(float(np.median(bare)), 4),
        "extra_allocations_per_call": raw["allocations_per_call"]
        - raw["bare_allocations_per_call"],
        **raw,
        "blocks": {"surrogate_us": ours.round(3).tolist(), "bare_us": bare.round(3).tolist()},
    }


def export(module: torch.nn.Module, payload: Path) -> None:
    """Write `module` for a 64² field as TorchScript, or as an AOTInductor package where the suffix is its."""
    example = torch.zeros(1, 1, SIZE, SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript's deprecation
        if payload.suffix == SUFFIXES["torchscript"]:
            torch.jit.save(torch.jit.trace(module, example), payload)
        else:
            exported = torch.export.export(module, (example,))
            torch._inductor.aoti_compile_and_package(exported, package_path=str(payload))


def bootstrap(differences: np.ndarray, resamples: int = 10_000) -> tuple[float, float]:
    """95 % interval of the median, by resampling blocks."""
    generator = np.random.default_rng(0)
    samples = generator.choice(
        differences, size=(resamples, differences.size)
    )  # (resamples, blocks)
    low, high = np.percentile(np.median(samples, axis=1), [2.5, 97.5])
    return float(low), float(high)


def manifest(name: str, kind: str, file: str) -> dict[str, Any]:
    """One field on the one grid that is measured, an increment, not normalised; bounds and finite guards on."""
    field = {
        "name": "u",
        "normalisation": {"mean": [0.0], "std": [1.0]},
        "prediction": {"kind": "increment", "scale": [1.0], "offset": [0.0]},
    }
    return {
        "name": name,
        "fields": [field],
        "grid": {
            "axes": ["y", "x"],
            "multiple_of": [1, 1],
            "minimum_shape": [SIZE, SIZE],
            "boundary": ["periodic", "periodic"],
        },
        "time": {"step": 1.0},
        "locality": {"receptive_field": [0, 0], "stride": [1, 1]},
        "programs": [
            {
                "name": kind,
                "engine": "torch",
                "format": kind,
                "file": file,
            }
        ],
        "guards": {"finite": True, "bounds": {"u": {"lower": -1e6, "upper": 1e6}}},
    }


def environment(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "command": " ".join(["python benchmarks/overhead/run.py", *sys.argv[1:]]),
        **provenance(ROOT),
        "threads": 1,
        "blocks": arguments.blocks,
        "calls_a_block": arguments.calls,
        "size": [SIZE, SIZE],
        "dtype": "float32",
        "guards": "finite and bounds",
    }


if __name__ == "__main__":
    main()
