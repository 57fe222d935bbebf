"""Write the bundles of the native tests: python make_bundles.py OUTDIR.

Standard library only and straight to disk, so that the native tests need neither the compiled Python module nor its
validation (some of these bundles are broken on purpose).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def field(name: str, components: int = 1, **more: Any) -> Json:
    """A predicted field (increment) that is not normalised; `more` overrides any key."""
    return {
        "name": name,
        "components": components,
        "normalisation": {"mean": [0.0] * components, "std": [1.0] * components},
        "prediction": {
            "kind": "increment",
            "scale": [1.0] * components,
            "offset": [0.0] * components,
        },
        **more,
    }


def affine(count: int, **more: Any) -> Json:
    """A stub program that returns its first `count` channels."""
    return {
        "operation": "affine",
        "scale": [1.0] * count,
        "offset": [0.0] * count,
        "channels": list(range(count)),
        **more,
    }


def grid(axes: str = "yx", multiple_of: int = 1, **more: Any) -> Json:
    """A periodic grid."""
    n = len(axes)
    return {
        "axes": list(axes),
        "multiple_of": [multiple_of] * n,
        "minimum_shape": [multiple_of] * n,
        "boundary": ["periodic"] * n,
        **more,
    }


def program(name: str = "stub", **more: Any) -> Json:
    """The manifest's entry of a stub program."""
    return {
        "name": name,
        "engine": "stub",
        "format": "stub",
        "file": f"programs/{name}.json",
        **more,
    }


def safetensors(**tensors: tuple[list[int], list[float]]) -> bytes:
    """The bytes of a file of float32 tensors, each (shape, values)."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        block = struct.pack(f"<{len(values)}f", *values)
        header[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(block)],
        }
        data += block
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(folder: Path, files: dict[str, bytes], manifest: Json) -> None:
    """Write a bundle with the sizes and hashes of its files."""
    shutil.rmtree(folder, ignore_errors=True)
    entries = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "manifest.json").write_text(
        json.dumps({"files": entries, **manifest}, indent=1), encoding="utf-8"
    )


def bundle(
    out: Path,
    name: str,
    fields: list[Json],
    stub: Json,
    files: dict[str, bytes] | None = None,
    **more: Any,
) -> None:
    """A bundle whose only program is `stub`."""
    manifest = {
        "format": {"name": "surrogate-bundle", "version": 1},
        "name": name,
        "fields": fields,
        "grid": grid(),
        "time": {"step": 0.5, "unit": "s"},
        "locality": {"receptive_field": [2, 3], "stride": [1, 1]},
        "programs": [program()],
        **more,
    }
    all_files = {"programs/stub.json": json.dumps(stub).encode(), **(files or {})}
    write(out / f"{name}.surrogate", all_files, manifest)


def good(out: Path) -> None:
    """Bundles that open."""
    bundle(out, "identity", [field("u")], affine(1))
    condition = field("mask", prediction=None)
    bundle(out, "view", [condition, field("u"), field("w")], affine(2, view=True))
    bundle(out, "zero", [field("u")], affine(1, scale=[0.0]))
    flow = [
        field("rho", unit="kg m-3"),
        field("v", 2, unit="m s-1", normalisation={"mean": [0.5, -0.5], "std": [2.0, 4.0]}),
        field("mask", prediction=None),
        field(
            "p", prediction={"kind": "frame", "scale": [0.5], "offset": [1.0]}, staggering="corner"
        ),
    ]
    shifted = affine(
        4,
        scale=[0.5, 2.0, -1.0, 3.0],
        offset=[0.0, 0.25, 0.0, 1.0],
        channels=[0, 2, 1, 4],
        shift=[1, -2],
    )
    bundle(
        out,
        "flow",
        flow,
        shifted,
        guards={"finite": True, "bounds": {"p": {"lower": -1000.0, "upper": 1000.0}}},
        grid=grid(multiple_of=4, spacing=[0.1, 0.2], spacing_unit="m"),
    )
    bundle(out, "line", [field("u", 2)], affine(2, shift=[1]), grid=grid("x"), locality=locality(1))
    bundle(
        out,
        "cube",
        [field("u"), field("w")],
        affine(2, shift=[1, 2, -1]),
        grid=grid("zyx"),
        locality=locality(3),
    )
    bundle(out, "fixed", [field("u")], affine(1), grid=grid(fixed_shape=[8, 12]))
    bundle(
        out,
        "bounded",
        [field("u")],
        affine(1),
        guards={"bounds": {"u": {"lower": 0.0, "upper": 10.0}}},
    )
    parameters = [{"name": "nu", "unit": "m2 s-1", "range": [0.0, 1.0], "preset": 0.25}]
    bundle(
        out, "parameter", [field("u")], affine(1, scale=[0.0], parameter=0), parameters=parameters
    )
    bundle(out, "tiny_std", [field("u", normalisation={"mean": [0.0], "std": [1e-10]})], affine(1))

    values = [0.25 * i - 3.0 for i in range(24)]
    for name, expected in (("example", [2.0 * v for v in values]), ("example_wrong", values)):
        pair = safetensors(input=([1, 1, 4, 6], values), expected=([1, 1, 4, 6], expected))
        example = {"file": "example.safetensors", "tolerance": 1e-6}
        bundle(
            out,
            name,
            [field("u")],
            affine(1, scale=[2.0]),
            {"example.safetensors": pair},
            example=example,
        )

    engines = out / "engines"
    engines.mkdir(exist_ok=True)
    (engines / "libsurrogate_engine_jax-0.so").write_text("this is no library")
    (engines / "libsurrogate_engine_jaxlike.so").write_text("an engine of another name")

    programs = [
        program("portable", engine="torch", format="torch.export", file="programs/stub.json"),
        # An engine that is never built:
        program("jax", engine="jax", file="programs/stub.json"),
        program("half", precision="bf16", file="programs/stub.json"),
        program("gpu", device="cuda", file="programs/stub.json"),
        program("stub", device="cpu"),
    ]
    bundle(out, "choice", [field("u")], affine(1), programs=programs)
    bundle(out, "no_engine", [field("u")], affine(1), programs=programs[:2])

    stub = "programs/stub.json"
    later = [
        program("graph", engine="onnxruntime", format="onnx", file=stub),
        program("eighth", precision="fp8", file=stub),
        program("tile", device="tpu", file=stub),
        program("compiled", engine="tvm", file=stub),
    ]
    bundle(out, "later", [field("u")], affine(1), programs=[*later, program()])
    bundle(out, "only_later", [field("u")], affine(1), programs=later[:3])
    noise = [{"name": "xi", "channels": 2}]
    bundle(
        out, "noisy", [field("u"), field("w")], affine(2, scale=[0.0] * 2, noise=0.5), noise=noise
    )
    wide = field(
        "u", trained_jump=[0.25], prediction={"kind": "increment", "scale": [2.0], "offset": [1.0]}
    )
    for name, guards in (
        ("ensemble", {"bounds": {"u": {"upper": 5.0}}}),
        ("spread", {"spread": {"upper": 5.0}}),
    ):
        fields = [field("mask", prediction=None), wide]
        stub = affine(1, channels=[1], noise=0.5)
        bundle(out, name, fields, stub, guards=guards, noise=[{"name": "xi", "channels": 1}])
    grow = affine(1, parameter=0)
    grows = [{"name": "nu", "range": [0.0, 1.0], "preset": 0.0}]
    bounded = {"bounds": {"u": {"upper": 100.0}}}
    bundle(
        out,
        "grow",
        [field("mask", prediction=None), field("u")],
        {**grow, "channels": [1]},
        guards=bounded,
        parameters=grows,
    )
    bundle(out, "history", [field("u"), field("w")], affine(2, channels=[2, 5]), history=3)


def sampled(out: Path) -> None:
    """Generative models: u' = u + steps + noise / 2 + nu / 8 + 10 guidance + 100 word0 + 1000 word1 + 10000 word2.

    Of "sampler", 8 steps give NaN after their first run, and the program of 16 cannot be loaded.
    """
    counts = [1, 4, 8, 16]
    methods: Json = {f"steps_{n}": {"offset": [float(n)]} for n in counts}
    methods["steps_8"] |= {"fail": "nan", "after": 1}
    methods["steps_16"] |= {"fail": "load"}
    stub = affine(1, scale=[0.0], noise=0.5, weights=[0.125, 10.0, 100.0, 1000.0, 10000.0])
    programs = [
        program(f"stub_{n}", file="programs/stub.json", steps=n, method=f"steps_{n}")
        for n in [4, 1, 8, 16]
    ]
    parameters = [
        {"name": "nu", "range": [0.0, 1.0], "preset": 0.5},
        {"name": "guidance", "range": [0.0, 3.0], "preset": 1.0},
    ]
    sampler = {"method": "flow", "kind": "heun", "steps": counts, "preset": 4, "members": 6}
    more: Json = {
        "programs": programs,
        "parameters": parameters,
        "noise": [{"name": "initial", "channels": 1}],
        "sampler": {**sampler, "guidance": 3.0},
        "text": {"length": 3, "vocabulary": ["<pad>", "<unknown>", "a", "red", "circle"]},
        "locality": locality(2),
    }
    bundle(out, "sampler", [field("u")], {**stub, "methods": methods}, **more)
    plain = {**more, "parameters": parameters[:1], "sampler": sampler, "text": None}
    bundle(out, "unguided", [field("u")], {**stub, "methods": methods}, **plain)


def guarded(out: Path) -> None:
    """A local model with all that guards decide by; u is conserved, v is predicted as a frame, w only read."""
    trained = {
        "trained_range": [[-2.0, 2.0]],
        "trained_statistics": {"mean": [[0.0, 0.1]], "std": [[0.7, 0.1]]},
        "trained_jump": [0.1],
    }
    replaced = {"kind": "frame", "scale": [1.0], "offset": [0.2]}
    fields = [
        field("u", conserved=True, normalisation={"mean": [0.5], "std": [2.0]}, **trained),
        field("v", prediction=replaced, conserved=True, **trained),
        field("w", prediction=None, **trained),
    ]
    bundle(out, "guarded", fields, affine(2, scale=[0.25, 0.9], offset=[0.1, 0.0]))


def faulty(out: Path) -> None:
    """Bundles whose program fails, at load, in the one run of open or right after it."""
    for fault in ("load", "run", "nan", "inf"):
        bundle(out, f"fail_{fault}", [field("u")], affine(1, fail=fault, after=1))
    bundle(out, "fail_at_once", [field("u")], affine(1, fail="run"))


def broken(out: Path) -> None:
    """Bundles that must not open; tests/faults breaks them in every other way."""
    bundle(out, "bad_std", [field("u", normalisation={"mean": [0.0], "std": [-1.0]})], affine(1))
    bundle(out, "truncated_manifest", [field("u")], affine(1))
    manifest = out / "truncated_manifest.surrogate" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:200])


def locality(rank: int) -> Json:
    """A local program."""
    return {"receptive_field": [1] * rank, "stride": [1] * rank}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    good(target)
    sampled(target)
    guarded(target)
    faulty(target)
    broken(target)
