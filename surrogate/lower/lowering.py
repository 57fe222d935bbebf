"""Lower a bundle's program: convert, gate, compile, gate again, time, write.

Which form of the net is compiled is decided by the gate, run eagerly before anything is compiled: convolutions whose
rounding costs most error for the work that it saves stay in float32 until the rest passes (:mod:`.selection`).
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate.bundle.folder import check_bundle
from surrogate.bundle.manifest import Manifest, Program
from surrogate.environment.machine import allowed_cores
from surrogate.errors import ArgumentError, EngineError, SurrogateError
from surrogate.lower import engines, host
from surrogate.lower.folding import fold_batch_norms
from surrogate.lower.gate import Gate, Verdict
from surrogate.lower.overlay import bundle_hash, overlay_folder, write_entry, write_timings
from surrogate.lower.portable import (
    Portable,
    check_shape,
    default_shape,
    dynamic_shapes,
    example_inputs,
    load_portable,
)
from surrogate.lower.precision import lower_precision
from surrogate.lower.selection import choose_kept
from surrogate.lower.separable import split_filters
from surrogate.lower.shuffle import order_shuffles
from surrogate.lower.timing import time_programs
from surrogate.lower.transposed import unfold_transposed
from surrogate.paths import find_bundle

PRECISIONS = ("fp32", "bf16", "fp16")


class GateError(SurrogateError):
    """A lowered program differs too much from the reference and was not written; exit code 1 of the command."""


@dataclass(frozen=True)
class Lowered:
    """What was written, and what was measured on the way."""

    folder: Path
    name: str
    verdict: Verdict
    kept_in_fp32: int
    convolutions: int
    timings: list[dict[str, Any]]
    bundle_timings: dict[str, list[dict[str, Any]]]


def lower(
    bundle: str | os.PathLike[str],
    *,
    engine: str = "aoti",
    device: str = "cpu",
    precision: str = "fp32",
    out: Path | None = None,
    threads: Sequence[int] | None = None,
    shape: Sequence[int] | None = None,
    steps: int | None = None,
) -> Lowered:
    """Make a program for this machine from the bundle's portable one and write it to the overlay.

    Parameters
    ----------
    bundle : path or str
        A bundle's folder or name; its hashes are checked.
    engine : {"aoti", "torchscript", "tensorrt"}
        The form: all are run by the torch engine.
    device : {"cpu", "cuda"}
    precision : {"fp32", "bf16", "fp16"}
        Of weights and of what lies between; input and output are float32.
    out : Path, optional
        The overlay; default: ``$SURROGATE_OVERLAY``, else the user's.
    threads : sequence of int, optional
        CPU threads at which programs are timed; default: 1 and all allowed cores.
    shape : sequence of int, optional
        The grid that is timed; default: the example's. Other grids of the manifest's rule run as well.
    steps : int, optional
        Of a generative model: whose program is lowered; default: the preset's.

    Raises
    ------
    GateError
        If the program's error is over the limit; nothing is written.
    SurrogateError
        If anything is missing or cannot be converted; the text says what.
    """
    _check_options(engine, device, precision)
    overlay = overlay_folder(out)
    folder = find_bundle(bundle)
    manifest = check_bundle(folder)
    size = tuple(shape) if shape else default_shape(manifest, folder)
    check_shape(manifest, size)
    counts = tuple(threads) if threads else tuple(dict.fromkeys([1, allowed_cores()]))
    steps = _known_steps(manifest, steps)
    gate = Gate(folder, manifest, size, steps)
    portable = load_portable(folder, manifest, steps)
    for rewrite in (fold_batch_norms, split_filters, order_shuffles, unfold_transposed):
        rewrite(portable.graph)
    graph, kept, total = _converted(portable, gate, precision)
    with tempfile.TemporaryDirectory(prefix="surrogate-lower-") as scratch:
        inputs, dynamic = _export_inputs(portable, manifest, size, engine)
        inputs = tuple(entry.to(device) for entry in inputs)
        engines.write_program(
            engine,
            graph.to(device),
            inputs,
            dynamic,
            Path(scratch),
            device=device,
            precision=precision,
        )
        program = engines.load_written(engine, Path(scratch), device)
        on_arrays = _on_arrays(program, device)
        verdict = gate.judge(on_arrays, precision)
        if not verdict.passed:
            raise GateError(_refusal(engine, precision, device, verdict))
        name = f"{engine}-{device}-{precision}" + (f"-{steps}" if steps else "")
        own_programs = manifest.programs_of(steps)
        timings = _timings(folder, manifest, own_programs, program, device, counts, size)
        own = timings.pop("")
        facts = {
            "program": {
                "name": name,
                "engine": "torch",
                "format": engine,
                "device": device,
                "precision": precision,
                "made_with": f"torch {host.torch_version()}",
                **({"steps": steps} if steps else {}),
            },
            "path": engines.PATHS[engine],
            "host": host.describe(device, engines.isa_of(engine)),
            "gate": {
                "error": verdict.error,
                "limit": verdict.limit,
                "kind": verdict.kind,
                "deviation": gate.deviation(on_arrays),
            },
            "convolutions": {"count": total, "fp32": kept},
            "timings": own,
        }
        key, identity = host.host_key(device), bundle_hash(folder)
        written = write_entry(
            overlay,
            identity,
            f"{name}-{key}",
            lambda target: _copy_all(Path(scratch), target),
            facts,
        )
    write_timings(overlay, identity, key, host.describe(device, []), timings)
    return Lowered(written, name, verdict, kept, total, own, timings)


def lower_all(
    bundle: str | os.PathLike[str], *, steps: int | None = None, **options: Any
) -> list[Lowered]:
    """Lower the programs of all steps of a generative model, or of `steps`; the one program of another model.

    Parameters
    ----------
    bundle : path or str
    steps : int, optional
    **options
        Of :func:`lower`.

    Raises
    ------
    SurrogateError
        As in :func:`lower`; what was written before stays.
    """
    sampler = check_bundle(find_bundle(bundle)).sampler
    wanted = [steps] if steps is not None or sampler is None else sampler.steps
    return [lower(bundle, steps=count, **options) for count in wanted]


def _known_steps(manifest: Manifest, steps: int | None) -> int | None:
    """The steps to be lowered: as given, else the preset's; None where there is no sampler."""
    known = manifest.sampler.steps if manifest.sampler else []
    if steps is not None and steps not in known:
        raise ArgumentError(
            f"lower: steps {steps}; "
            + (f"expected one of {known}" if known else "the model has no sampler")
        )
    return steps if steps is not None or manifest.sampler is None else manifest.sampler.preset


def _check_options(engine: str, device: str, precision: str) -> None:
    for what, value, allowed in (
        ("engine", engine, engines.FORMATS),
        ("device", device, ("cpu", "cuda")),
        ("precision", precision, PRECISIONS),
    ):
        if value not in allowed:
            raise ArgumentError(f"lower: {what} {value!r}; expected one of {', '.join(allowed)}")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise EngineError("lower: needs torch; install it with: pip install torch") from error
    if device == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "lower: device cuda, and torch finds no GPU here; programs are compiled on the machine that runs them"
        )
    if engine == "tensorrt":
        engines.import_tensorrt()
        if device != "cuda":
            raise ArgumentError("lower: engine tensorrt runs on GPUs only; give --device cuda")


def _converted(portable: Portable, gate: Gate, precision: str) -> tuple[Any, int, int]:
    """The graph in `precision` that passes the gate eagerly, and how many of its convolutions stay in float32."""

    def convert(kept: set[int]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's, of its own pytrees
            graph = copy.deepcopy(portable.graph)
        lower_precision(graph, precision, kept=kept)
        return graph

    def judge(kept: set[int], states: int | None) -> Verdict:
        return gate.judge(_on_arrays(convert(kept), "cpu"), precision, states=states)

    kept, total, verdict = choose_kept(portable.graph, judge, gate.inputs[0], precision)
    if not verdict.passed:
        raise GateError(_refusal("eager", precision, "cpu", verdict))
    return convert(kept), len(kept), total


def _refusal(engine: str, precision: str, device: str, verdict: Verdict) -> str:
    return (
        f"refused: {engine} {precision} on {device} differs too much from the reference, nothing was written: "
        f"{verdict.text()}; use --precision fp32"
    )


def _on_arrays(program: Callable[..., Any], device: str) -> Callable[..., Any]:
    """The program on numpy arrays, float32."""
    import torch

    def run(*inputs: Any) -> Any:
        with torch.no_grad():
            return program(*(torch.from_numpy(entry).to(device) for entry in inputs)).cpu().numpy()

    return run


def _export_inputs(
    portable: Portable, manifest: Manifest, size: Sequence[int], engine: str
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Inputs for the compiler: a batch of two where the batch is free, so that it is not taken for a constant 1."""
    batch = 2 if portable.free[0][0] and engine == "aoti" else 1
    return example_inputs(manifest, size, batch=batch), dynamic_shapes(portable, manifest)


def _timings(
    folder: Path,
    manifest: Manifest,
    own: Sequence[Program],
    program: Callable[..., Any],
    device: str,
    threads: Sequence[int],
    size: Sequence[int],
) -> dict[str, list[dict[str, Any]]]:
    """Of the new program (key "") and of `own`, the bundle's, those that are TorchScript, in turns."""
    import torch

    inputs = [entry.to(device) for entry in example_inputs(manifest, size)]
    programs = {"": program}
    for entry in own:
        if entry.format == "torchscript" and entry.device in ("any", device):
            path = folder / entry.file
            programs[entry.name] = engines.load_torchscript(path, device, entry.method)

    def call(run: Callable[..., Any]) -> Callable[[], None]:
        def once() -> None:
            with torch.no_grad():
                run(*inputs)
            if device == "cuda":
                torch.cuda.synchronize()

        return once

    calls = {name: call(run) for name, run in programs.items()}
    return time_programs(calls, threads=threads, shape=size)


def _copy_all(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
