"""Guards and the writing pass against memcpy of the input and output frames, for the JSON of `run.py`.

`measure_ghosts` is the state of a solver instead: 5 float64 arrays with two ghost cells on each side, packed in one
pass and written in one; its cost is that of both passes, guards of input and output included, over memcpy of the rows
that are read and written. `measure_share` is what the guards take of the shipped model's forward.

Cases: in the cache (1 field of 64²) and out of it (5 fields of 1024²), float32 and float64, with the guards of an
exported bundle, and with ``finite`` and ``bounds`` alone. The guards of the input are taken while it is packed and
are not in this figure; ``pack_us`` has them.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from surrogate import Surrogate
from surrogate.bundle.folder import write_bundle
from surrogate.bundle.manifest import Manifest
from surrogate.bundle.tensors import read_tensors
from surrogate.paths import find_bundle

CASES = {
    f"{fields}x{size} float{8 * width}": (width, fields, size, calls)
    for fields, size, calls in ((1, 64, 2000), (5, 1024, 7))
    for width in (4, 8)
}
VALUES_ONLY = {"range": None, "statistics": None, "conserved": None, "jump": None, "policy": None}
GHOSTS = 2
KEYS = ("output_us", "guard_us", "pack_us", "memcpy_us")


def measure_guards(program: Path, scratch: Path, *, blocks: int = 15) -> dict[str, Any]:
    """Run the measuring program on every case.

    Parameters
    ----------
    program : Path
        The executable ``guards``.
    scratch : Path
        Folder for the bundles.
    blocks : int
        Blocks of each case; a figure is the median over blocks of a ratio, with its quartiles.
    """
    found: dict[str, Any] = {}
    for name, (width, fields, size, calls) in CASES.items():
        bundle = _bundle(scratch / f"guards{fields}.surrogate", fields)
        for guards, text in (("all guards", None), ("finite and bounds", json.dumps(VALUES_ONLY))):
            command = [
                program,
                bundle,
                width,
                fields,
                size,
                0,
                blocks,
                calls,
                *([text] if text else []),
            ]
            times = np.array(_run(command)["blocks"])  # (blocks, 4)
            ratio = times[:, 0] / times[:, 3]
            found[f"{name}, {guards}"] = {
                "guard_pass_over_memcpy": round(float(np.median(ratio)), 3),
                "quartiles": [round(float(q), 3) for q in np.percentile(ratio, [25, 75])],
                **dict(zip(KEYS, np.median(times, axis=0).round(3).tolist(), strict=True)),
            }
    return {
        "guard_pass_over_memcpy": max(c["guard_pass_over_memcpy"] for c in found.values()),
        "cases": found,
    }


def measure_ghosts(program: Path, scratch: Path, *, blocks: int = 15) -> dict[str, Any]:
    """The passes over a state with ghost cells, 64² and 128²; parameters as of `measure_guards`."""
    bundle = _bundle(scratch / "ghosts5.surrogate", 5)
    found: dict[str, Any] = {}
    for size in (64, 128):
        raw = _run([program, bundle, 8, 5, size, GHOSTS, blocks, 300])
        times = np.array(raw.pop("blocks"))  # (blocks, 4)
        ratio = (times[:, 0] + times[:, 2]) / times[:, 3]
        found[f"5x{size} float64"] = {
            "passes_over_memcpy": round(float(np.median(ratio)), 3),
            "quartiles": [round(float(q), 3) for q in np.percentile(ratio, [25, 75])],
            **dict(zip(KEYS, np.median(times, axis=0).round(3).tolist(), strict=True)),
            **raw,
        }
    return found


def measure_share(*, calls: int = 30) -> float:
    """Output guards of the shipped model over its forward, 128² float64, one thread."""
    folder = find_bundle("mhd2d_128")
    manifest = Manifest.read(folder / "manifest.json")
    u = read_tensors(folder / "example.safetensors")["input"][0].astype(np.float64)  # (C, ny, nx)
    scale, mean = (
        np.reshape([getattr(f.normalisation, key)[0] for f in manifest.fields], (-1, 1, 1))
        for key in ("std", "mean")
    )
    with Surrogate.open(folder, threads=1) as model:
        model.predict(u * scale + mean)
        before = model.statistics
        for _ in range(calls):
            model.predict(u * scale + mean)
        after = model.statistics
    guards = after.guard_seconds - before.guard_seconds
    return guards / (after.program_seconds - before.program_seconds)


def _run(command: list[Any]) -> dict[str, Any]:
    done = subprocess.run([str(a) for a in command], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bundle(folder: Path, fields: int) -> Path:
    """A bundle of the stub engine whose state passes every guard; the first field is conserved."""
    entry = {
        "normalisation": {"mean": [1.0], "std": [0.5]},
        "prediction": {"kind": "increment", "scale": [0.1], "offset": [0.0]},
        "trained_range": [(-10.0, 10.0)],
        "trained_statistics": {"mean": [(1.0, 1.0)], "std": [(0.5, 1.0)]},
        "trained_jump": [0.01],
    }
    names = [f"u{k}" for k in range(fields)]
    affine = {"operation": "affine", "channels": list(range(fields))}
    numbers = {"scale": [0.1] * fields, "offset": [0.0] * fields}
    write_bundle(
        folder,
        {"programs/stub.json": json.dumps({**affine, **numbers}).encode()},
        name=folder.stem,
        fields=[{"name": n, "conserved": k == 0, **entry} for k, n in enumerate(names)],
        grid={
            "axes": ["y", "x"],
            "multiple_of": [1, 1],
            "minimum_shape": [1, 1],
            "boundary": ["periodic", "periodic"],
        },
        time={"step": 1.0},
        locality={"receptive_field": [0, 0], "stride": [1, 1]},
        programs=[
            {"name": "stub", "engine": "stub", "format": "stub", "file": "programs/stub.json"}
        ],
        guards={
            "bounds": {name: {"lower": -1e6, "upper": 1e6} for name in names},
            "range": {"share": 0.01},
            "statistics": {"distance": 6.0},
            "conserved": {"tolerance": 1e-2},
            "jump": {"lower": 0.1, "upper": 3.0},
            "policy": {"conserved": "project"},
        },
    )
    return folder
