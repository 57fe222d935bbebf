"""Executable forms of a trained model: torch.export and TorchScript, both for every grid of the rule."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from surrogate_training.grid import GridRule

LARGEST_BLOCKS = 4096

Inputs = Sequence[Tensor]
"""State (B, C, ny, nx), then parameters (B, P) where there are some, then noise (B, channels, ny, nx)."""


def save_portable(model: nn.Module, inputs: Inputs, path: Path, *, rule: GridRule) -> None:
    """Write ``portable.pt2`` by torch.export, with dynamic batch, and ny and nx unless the rule fixes them.

    Parameters
    ----------
    model : Module
        In eval mode: a batch norm is exported with its running statistics.
    inputs : sequence of Tensor
        For their channels; sizes follow from the rule.
    path : Path
        Of the program.
    rule : GridRule
        What the program must accept.
    """
    sides: dict[int, Any] = {}
    if rule.fixed is None:
        sides = {
            axis: rule.multiple * torch.export.Dim(name, min=rule.minimum, max=LARGEST_BLOCKS)
            for axis, name in ((2, "height"), (3, "width"))
        }
    batch = torch.export.Dim("batch")
    dynamic = [{0: batch} | (sides if entry.ndim == 4 else {}) for entry in inputs]
    # an example of two states with unlike sides, so that nothing is specialised to equal or unit sizes
    zeros = tuple(
        torch.zeros(2, entry.shape[1], *(rule.example if entry.ndim == 4 else ()))
        for entry in inputs
    )
    first, *more = dynamic
    shapes = (first, tuple(more)) if more else (first,)  # as FieldModel.forward(x, *more)
    program = torch.export.export(model, zeros, dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # source paths of this machine
    torch.export.save(program, path)


def save_torchscript(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Write ``torchscript.pt`` by tracing; C++ loads it without a compiler."""
    _save_traced(model, {"forward": inputs}, path)


def save_methods(models: Mapping[str, nn.Module], inputs: Inputs, path: Path) -> None:
    """Write modules that share their weights as the methods of one ``torchscript.pt``, which holds the weights once.

    Parameters
    ----------
    models : mapping of str to Module
        By the name of the method. They have the same submodules: shallow copies, as of ``GenerativeModel.variant``.
    inputs : sequence of Tensor
        Of each of them.
    path : Path
        Of the program, which has no ``forward``.
    """
    _save_traced(_Methods(models), dict.fromkeys(models, inputs), path)


class _Methods(nn.Module):
    """Modules that share their weights, as methods."""

    def __init__(self, models: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.weights = next(iter(models.values()))
        for name, model in models.items():
            setattr(self, name, _method(model))


def _method(model: nn.Module) -> Callable[..., Tensor]:
    """A function of the module: set as an attribute, the module itself would be a second owner of the weights."""

    def run(*inputs: Tensor) -> Tensor:
        return model(*inputs)  # type: ignore[no-any-return]

    return run


def _save_traced(model: nn.Module, inputs: Mapping[str, Inputs], path: Path) -> None:
    """Trace methods of a module, each by its inputs."""
    with warnings.catch_warnings():
        # TorchScript warns that it is deprecated; nothing else can be loaded by C++ without compiling
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace_module(  # type: ignore[no-untyped-call]
            model, {name: tuple(given) for name, given in inputs.items()}, check_trace=False
        )
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
    """Load what :func:`save_torchscript` or :func:`save_methods` wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path))  # type: ignore[no-any-return, no-untyped-call]
