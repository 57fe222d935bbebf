"""Filters of one channel that factor into one along y and one along x, written as weighted sums of shifted slices.

A library's convolution of one channel leaves most of a vector idle: the 9×9 filter of the default bundle is a
thousandth of its products and took a tenth of its time. As sums, 81 products a cell become 18, and a compiler fuses
them with their neighbours.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from surrogate.lower.graph import tensor_of

if TYPE_CHECKING:
    from torch import Tensor

RANK_ONE = (
    1e-7  # second singular value over the first: below it the factors lose less than float32 does
)


def split_filters(graph: Any) -> None:
    """Replace every plain ``conv2d`` of a GraphModule with a (1, 1, ky, kx) kernel of rank one."""
    import torch

    plain = ([1, 1], [0, 0], [1, 1], 1)  # stride, padding, dilation, groups
    for number, node in enumerate(list(graph.graph.nodes)):
        if node.target is not torch.ops.aten.conv2d.default:
            continue
        kernel = tensor_of(graph, node.args[1])
        bias = node.args[2] if len(node.args) > 2 else None
        given = tuple(node.args[3:]) + plain[len(node.args[3:]) :]
        if kernel is None or bias is not None or given != plain or kernel.shape[:2] != (1, 1):
            continue
        factors = _factors(kernel[0, 0])
        if factors is None:
            continue
        name = f"separable_{number}"
        graph.add_submodule(name, _class()(*factors))
        with graph.graph.inserting_before(node):
            replacement = graph.graph.call_module(name, (node.args[0],))
        node.replace_all_uses_with(replacement)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _factors(kernel: Tensor) -> tuple[list[float], list[float]] | None:
    """Weights along y and x whose outer product is `kernel`; None if there are none, or nothing is won."""
    import torch

    if min(kernel.shape) < 2:
        return None
    left, values, right = torch.linalg.svd(kernel.detach().double())
    if values[1] > RANK_ONE * values[0]:
        return None
    size = values[0].sqrt()
    return (size * left[:, 0]).tolist(), (size * right[0]).tolist()


@cache
def _class() -> Any:
    # inside a function, because torch is imported late: the run time needs none
    import torch

    class Separable(torch.nn.Module):
        """A valid correlation with an outer product of weights."""

        def __init__(self, down: list[float], along: list[float]) -> None:
            super().__init__()
            self.down, self.along = down, along

        def forward(self, x: Any) -> Any:
            """(B, 1, ny + ky - 1, nx + kx - 1) → (B, 1, ny, nx)."""
            return _weighted(_weighted(x, 2, self.down), 3, self.along)

    return Separable


def _weighted(x: Any, axis: int, weights: list[float]) -> Any:
    reach = len(weights) - 1
    size = x.shape[axis] - reach
    parts = [weight * x.narrow(axis, shift, size) for shift, weight in enumerate(weights)]
    return sum(parts[1:], parts[0])
