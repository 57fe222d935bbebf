"""Small questions about a torch.fx graph."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def tensor_of(graph: Any, node: Any) -> Tensor | None:
    """The parameter or buffer that a ``get_attr`` node reads; None for any other node."""
    if getattr(node, "op", None) != "get_attr":
        return None
    value: Tensor = reduce(getattr, node.target.split("."), graph)
    return value


def convolutions(graph: Any) -> list[Any]:
    """Nodes that convolve with constant weights or multiply by a constant matrix, in order."""
    import torch

    aten = torch.ops.aten
    operators = {
        aten.conv1d.default,
        aten.conv2d.default,
        aten.conv3d.default,
        aten.conv_transpose2d.input,
        aten.conv_transpose3d.input,
        aten.linear.default,
    }
    return [
        node
        for node in graph.graph.nodes
        if node.target in operators and tensor_of(graph, node.args[1]) is not None
    ]


def last_convolutions(graph: Any) -> set[Any]:
    """Those from which a path leads to the output without passing another convolution."""
    every = set(convolutions(graph))
    output = next(node for node in graph.graph.nodes if node.op == "output")
    pending, seen, last = [output], set(), set()
    while pending:
        for node in pending.pop().all_input_nodes:
            if node in every:
                last.add(node)
            elif node not in seen:
                seen.add(node)
                pending.append(node)
    return last
