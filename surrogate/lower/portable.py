"""A bundle's portable program as a float32 graph, with the inputs and the dynamic sizes that it was exported with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surrogate.bundle.manifest import Manifest
from surrogate.errors import EngineError, NotFoundError, ShapeError
from surrogate.reference import parameter_row

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_BLOCKS = 4096  # of multiple_of along an axis, as at export


@dataclass(frozen=True)
class Portable:
    """The portable program: a GraphModule and which sizes of its inputs are free.

    Attributes
    ----------
    graph : torch.fx.GraphModule
        ATen operators, float32, on the CPU.
    free : tuple of tuple of bool
        For each input and axis: whether the size may vary.
    """

    graph: Any
    free: tuple[tuple[bool, ...], ...]


def load_portable(folder: Path, manifest: Manifest, steps: int | None = None) -> Portable:
    """The graph of the bundle's ``torch.export`` program, of the sampler's preset or of so many steps.

    Raises
    ------
    NotFoundError
        If the bundle has none.
    EngineError
        If torch cannot load it.
    """
    import torch

    known = manifest.programs_of(steps)
    program = next((entry for entry in known if entry.format == "torch.export"), None)
    if program is None:
        of_steps = f" of {steps} steps" if steps else ""
        raise NotFoundError(
            f"{folder}: no portable program{of_steps} (format torch.export), from which every lowering starts; it has "
            f"{[entry.name for entry in manifest.programs]}; export the model again"
        )
    try:
        exported = torch.export.load(folder / program.file)
    except Exception as error:  # torch and zipfile raise anything on a damaged file
        raise EngineError(f"{folder / program.file} cannot be loaded: {error}") from error
    graph: Any = exported.module(check_guards=False)
    # regions that turn autocast off are graphs of their own
    for part in [m for m in graph.modules() if isinstance(m, torch.fx.GraphModule)]:
        for node in list(part.graph.nodes):  # they state the dtypes of before a change of precision
            if node.op == "call_function" and "_assert_tensor_metadata" in str(node.target):
                part.graph.erase_node(node)
        part.recompile()
    values = [node.meta["val"] for node in graph.graph.nodes if node.op == "placeholder"]
    free = tuple(tuple(not isinstance(size, int) for size in value.shape) for value in values)
    return Portable(graph, free)


def example_inputs(
    manifest: Manifest, shape: Sequence[int], *, batch: int = 1, seed: int = 0
) -> tuple[Tensor, ...]:
    """Random inputs of the program: state, parameters at their presets with no caption, noise; float32.

    Returns
    -------
    tuple of Tensor
        (B, C, ny, nx), then (B, P + words) where the model has parameters, then (B, channels, ny, nx) for each noise.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)

    def normal(channels: int) -> Tensor:
        return torch.randn(batch, channels, *shape, generator=generator)

    channels = manifest.input_channels * manifest.history
    inputs = [normal(channels)]
    if manifest.parameter_columns:
        row = parameter_row(manifest)
        inputs.append(torch.tensor([row] * batch, dtype=torch.float32))
    return (*inputs, *(normal(entry.channels) for entry in manifest.noise))


def default_shape(manifest: Manifest, folder: Path) -> tuple[int, ...]:
    """The grid that a program is timed on: the example's, else the fixed one, else the smallest ≥ 64 cells a side."""
    from surrogate.bundle.tensors import read_tensors

    if manifest.example is not None:
        return tuple(read_tensors(folder / manifest.example.file)["input"].shape[2:])
    if manifest.grid.fixed_shape is not None:
        return tuple(manifest.grid.fixed_shape)
    grid = zip(manifest.grid.multiple_of, manifest.grid.minimum_shape, strict=True)
    return tuple(-(-max(64, smallest) // multiple) * multiple for multiple, smallest in grid)


def check_shape(manifest: Manifest, shape: Sequence[int]) -> None:
    """Whether the model accepts this grid.

    Raises
    ------
    ShapeError
        If not; the text names the rule.
    """
    grid = manifest.grid
    if grid.fixed_shape is not None:
        fits, rule = list(shape) == grid.fixed_shape, f"exactly {grid.fixed_shape}"
    else:
        rule = f"multiples of {grid.multiple_of}, at least {grid.minimum_shape}"
        fits = len(shape) == len(grid.axes) and all(
            size % multiple == 0 and size >= smallest
            for size, multiple, smallest in zip(
                shape, grid.multiple_of, grid.minimum_shape, strict=True
            )
        )
    if not fits:
        raise ShapeError(
            f"lower: grid {list(shape)} does not fit the model; expected {rule}, axes {grid.axes}"
        )


def dynamic_shapes(portable: Portable, manifest: Manifest) -> tuple[dict[int, Any], ...]:
    """The sizes that `torch.export.export` leaves free: as in the portable program, in the manifest's multiples."""
    import torch

    batch = torch.export.Dim("batch")
    grid = manifest.grid
    sides = []
    for axis, multiple, smallest in zip(
        grid.axes, grid.multiple_of, grid.minimum_shape, strict=True
    ):
        least = max(2, -(-smallest // multiple))  # torch takes a size of 1 for a constant
        name = "blocks" if multiple > 1 else "cells"
        free = torch.export.Dim(f"{name}_{axis}", min=least, max=LARGEST_BLOCKS)
        sides.append(multiple * free if multiple > 1 else free)
    result = []
    for may_vary in portable.free:
        names = [batch, None, *sides][: len(may_vary)]
        result.append(
            {
                axis: name
                for axis, (name, may) in enumerate(zip(names, may_vary, strict=True))
                if may and name is not None
            }
        )
    return tuple(result)
