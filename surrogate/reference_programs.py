"""Programs of a bundle as float64 callables for the reference: torch.export, TorchScript, and the stub's in numpy."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.manifest import Manifest, Program
from surrogate.errors import EngineError, NotFoundError

if TYPE_CHECKING:
    import torch

Float64 = NDArray[np.float64]
_PREFERENCE = {"torch.export": 0, "torchscript": 1, "stub": 2}


def load_program(
    folder: Path, manifest: Manifest, name: str | None = None, *, steps: int | None = None
) -> Callable[..., Float64]:
    """A program of the bundle with its weights cast to float64.

    Parameters
    ----------
    folder : Path
        The bundle.
    manifest : Manifest
        Of the bundle.
    name : str, optional
        Of the program; default: the portable one where there is one, else the first fp32 one.
    steps : int, optional
        Evaluations of the sampler's net that it makes; default: the preset.

    Raises
    ------
    NotFoundError
        If there is no program of that name, or of so many steps.
    EngineError
        If it needs torch and torch is not installed, or it cannot be loaded.
    """
    program = choose_program(manifest, name, steps=steps)
    loaders: dict[str, Callable[[Path, str], Callable[..., Float64]]] = {
        "torch.export": _exported,
        "torchscript": _torchscript,
        "stub": _stub,
    }
    if program.format not in loaders:
        raise EngineError(
            f"{folder}: the reference does not know format {program.format!r} of program {program.name!r}; "
            f"it runs {', '.join(loaders)}"
        )
    try:
        return loaders[program.format](folder / program.file, program.method)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"reference: program {program.name!r} needs {error.name}; install it with: pip install torch"
        ) from error
    except Exception as error:  # torch and zipfile raise anything on a damaged file
        raise EngineError(
            f"reference: {folder / program.file} cannot be loaded: {error}"
        ) from error


def choose_program(
    manifest: Manifest, name: str | None = None, *, steps: int | None = None
) -> Program:
    """The program that the reference runs: the most portable of those steps in the highest precision, or the one named.

    Raises
    ------
    NotFoundError
        If there is none; the text lists what there is.
    """
    if name is None:
        known = manifest.programs_of(steps)
        if not known:
            makes = manifest.sampler.steps if manifest.sampler else "no sampler"
            raise NotFoundError(f"no program of {steps} steps; the bundle has {makes}")
        return min(
            known,
            key=lambda entry: (
                entry.precision != "fp32",
                _PREFERENCE.get(entry.format, len(_PREFERENCE)),
            ),
        )
    for entry in manifest.programs:
        if entry.name == name:
            return entry
    raise NotFoundError(
        f"no program {name!r}; the bundle has {[entry.name for entry in manifest.programs]}"
    )


def _exported(path: Path, method: str) -> Callable[..., Float64]:
    """A torch.export program; dtypes written into its graph follow the weights."""
    import torch

    if method:
        raise EngineError(f"method {method!r} given, but a torch.export file holds one program")
    module: Any = torch.export.load(path).module().double()
    # regions that turn autocast off are graphs of their own
    for part in [m for m in module.modules() if isinstance(m, torch.fx.GraphModule)]:
        for node in list(part.graph.nodes):
            if node.op == "call_function" and "_assert_tensor_metadata" in str(node.target):
                part.graph.erase_node(node)
                continue
            node.args = torch.fx.node.map_aggregate(node.args, _doubled)
            node.kwargs = torch.fx.node.map_aggregate(node.kwargs, _doubled)
        part.recompile()
    for owner in module.modules():  # constants that are neither parameters nor buffers
        for key, value in vars(owner).items():
            if isinstance(value, torch.Tensor) and value.dtype == torch.float32:
                setattr(owner, key, value.double())
    return _numpy_callable(module)


def _doubled(value: Any) -> Any:
    import torch

    return torch.float64 if value is torch.float32 else value


def _torchscript(path: Path, method: str) -> Callable[..., Float64]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the format's own; we know
        module: Any = torch.jit.load(  # type: ignore[no-untyped-call]
            str(path), map_location="cpu"
        )
    module = module.double().eval()
    return _numpy_callable(getattr(module, method) if method else module)


def _numpy_callable(module: Callable[..., torch.Tensor]) -> Callable[..., Float64]:
    import torch

    def run(*inputs: Float64) -> Float64:
        with torch.no_grad():
            tensors = [
                torch.from_numpy(np.ascontiguousarray(entry, np.float64)) for entry in inputs
            ]
            result: Float64 = module(*tensors).numpy()
            return result

    return run


def _stub(path: Path, method: str) -> Callable[..., Float64]:
    """The stub engine's affine program (bindings/engines/stub), without its deliberate faults."""
    program: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if method:
        program = {**program, **program["methods"][method]}
    scale, offset = np.array(program["scale"], float), np.array(program["offset"], float)
    shift = tuple(program.get("shift", ()))
    parameter, amplitude = program.get("parameter", -1), program.get("noise", 0.0)
    weights = np.array(program.get("weights", ()), float)

    def run(x: Float64, *more: Float64) -> Float64:
        ones = (1,) * (x.ndim - 2)
        y = np.roll(x[:, program["channels"]], shift, axis=tuple(range(2, 2 + len(shift))))
        y = scale.reshape(-1, *ones) * y + offset.reshape(-1, *ones)  # (B, C_out, ny, nx)
        if parameter >= 0:
            y = y + more[0][:, parameter].reshape(-1, 1, *ones)
        if weights.size:
            y = y + (more[0][:, : weights.size] @ weights).reshape(-1, 1, *ones)
        if amplitude:
            y = y + amplitude * more[-1][:, np.arange(y.shape[1]) % more[-1].shape[1]]
        return np.asarray(y, np.float64)

    return run
