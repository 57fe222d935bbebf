"""The forms that the torch engine runs: how each is compiled or traced into files, and run from Python for the gate.

Everything takes a GraphModule in its final precision, on its device, and writes to a folder that is given.
"""

from __future__ import annotations

import shutil
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from surrogate.errors import EngineError
from surrogate.lower.host import base_isa, compiled_isa

FORMATS = ("aoti", "torchscript", "tensorrt")
PATHS = {"aoti": "package", "torchscript": "program.pt", "tensorrt": "program.ts"}
_KEPT = {".so", ".json"}  # of a package; sources and objects are not needed to run it


def isa_of(format: str) -> list[str]:  # noqa: A002 - the contract's word
    """Instruction sets that a program of this format, made here, needs."""
    return compiled_isa() if format == "aoti" else base_isa()


def write_program(
    format: str,  # noqa: A002
    graph: Any,
    inputs: Sequence[Any],
    dynamic: Sequence[Any],
    folder: Path,
    *,
    device: str,
    precision: str,
) -> None:
    """Write ``folder / PATHS[format]``.

    Raises
    ------
    EngineError
        If a compiler or library is missing, or the net cannot be converted; the text says which.
    """
    path = folder / PATHS[format]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compilers' own: deprecations, every traced size
            if format == "aoti":
                _write_aoti(graph, inputs, dynamic, path)
            elif format == "torchscript":
                _write_torchscript(graph, inputs, path)
            else:
                _write_tensorrt(graph, inputs, path, precision)
    except EngineError:
        raise
    except Exception as error:  # torch's compilers raise anything
        raise EngineError(
            f"lower: format {format} in {precision} on {device} failed: {type(error).__name__}: {error}"
        ) from error


def _write_aoti(graph: Any, inputs: Sequence[Any], dynamic: Sequence[Any], path: Path) -> None:
    """Compile and unpack: libsurrogate opens the folder in a millisecond and ranks of a node share its pages."""
    import torch
    from torch._inductor import aoti_compile_and_package, config

    exported = torch.export.export(graph, tuple(inputs), dynamic_shapes=tuple(dynamic))
    packed = path.with_suffix(".pt2")
    with config.patch(
        {
            "freezing": True,  # weights become constants, laid out for the kernels once
            "cpp.dynamic_threads": True,  # else the number of threads of this process is compiled in
        }
    ):
        aoti_compile_and_package(exported, package_path=str(packed))
    _unpack(packed, path)
    packed.unlink()


def _unpack(packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        for item in archive.infolist():
            _, _, inner = item.filename.partition("/")  # without the archive's own name
            compiled = "/aotinductor/" in item.filename
            if inner and not item.is_dir() and (not compiled or Path(inner).suffix in _KEPT):
                target = folder / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(item) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)


def _write_torchscript(graph: Any, inputs: Sequence[Any], path: Path) -> None:
    import torch

    with torch.no_grad():
        traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            graph, tuple(inputs), check_trace=False
        )
        torch.jit.save(traced, str(path))


def _write_tensorrt(graph: Any, inputs: Sequence[Any], path: Path, precision: str) -> None:
    """TorchScript around TensorRT's engine, at the sizes of `inputs`; never run by us, for want of the library."""
    import torch

    torch_tensorrt = import_tensorrt()
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    exported = torch.export.export(graph, tuple(inputs))
    compiled = torch_tensorrt.dynamo.compile(
        exported, arg_inputs=list(inputs), enabled_precisions={torch.float32, dtype}
    )
    torch_tensorrt.save(compiled, str(path), output_format="torchscript", arg_inputs=list(inputs))


def import_tensorrt() -> Any:
    """torch_tensorrt.

    Raises
    ------
    EngineError
        If it is not installed; the text names the extra.
    """
    try:
        import torch_tensorrt
    except ImportError as error:
        raise EngineError(
            f"lower: format tensorrt needs torch_tensorrt ({error}); install it on the target machine with: "
            "pip install 'surrogate[tensorrt]'"
        ) from error
    return torch_tensorrt


def load_written(format: str, folder: Path, device: str) -> Callable[..., Any]:  # noqa: A002
    """The program as a function of tensors."""
    import torch

    path = folder / PATHS[format]
    if format == "aoti":
        loader: Any = torch._C._aoti.AOTIModelPackageLoader(str(path), "model", False, 1, -1)

        def run(*inputs: Any) -> Any:
            return loader.boxed_run(list(inputs))[0]

        return run
    if format == "tensorrt":
        import_tensorrt()
    return load_torchscript(path, device)


def load_torchscript(path: Path, device: str, method: str = "") -> Callable[..., Any]:
    """A TorchScript program as a function of tensors; `method`: of a file that holds several."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the format's own; we know
        module: Any = torch.jit.load(  # type: ignore[no-untyped-call]
            str(path), map_location=device
        )
    module = module.eval()
    result: Callable[..., Any] = getattr(module, method) if method else module
    return result
