"""Executable forms of a trained model: torch.export and TorchScript, both for any grid of the allowed multiple."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

LARGEST_BLOCKS = 4096


def save_portable(model: nn.Module, example: Tensor, path: Path, *, multiple: int) -> None:
    """Write ``portable.pt2`` by torch.export, with dynamic batch, ny and nx (multiples of ``multiple``)."""
    height = torch.export.Dim("height", min=2, max=LARGEST_BLOCKS)
    width = torch.export.Dim("width", min=2, max=LARGEST_BLOCKS)
    dynamic = {0: torch.export.Dim("batch"), 2: multiple * height, 3: multiple * width}
    # an example of two states with unlike sides, so that nothing is specialised to equal or unit sizes
    x = torch.zeros(2, example.shape[1], 4 * multiple, 5 * multiple)
    program = torch.export.export(model, (x,), dynamic_shapes=(dynamic,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # source paths of this machine
    torch.export.save(program, path)


def save_torchscript(model: nn.Module, example: Tensor, path: Path) -> None:
    """Write ``torchscript.pt`` by tracing; C++ loads it without a compiler."""
    with warnings.catch_warnings():
        # TorchScript warns that it is deprecated; nothing else can be loaded by C++ without compiling
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(model, example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, str(path))
    _drop_debug_records(path)


def _drop_debug_records(path: Path) -> None:
    """Leave out of a TorchScript archive where each line of source stood on this machine: loading needs it not."""
    whole = path.with_suffix(".whole")
    path.rename(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for item in source.infolist():
            if not item.filename.endswith(".debug_pkl"):
                target.writestr(item, source.read(item))
    whole.unlink()


def load_portable(path: Path) -> nn.Module:
    """Load what :func:`save_portable` wrote."""
    return torch.export.load(path).module()


def load_torchscript(path: Path) -> nn.Module:
    """Load what :func:`save_torchscript` wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path))  # type: ignore[no-any-return, no-untyped-call]
