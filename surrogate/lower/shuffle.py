"""Depth-to-space after a convolution, with the channels in the order that channels-last memory wants.

``pixel_shuffle`` takes the new cells of one channel from neighbouring channels, (c, i, j): in channels-last memory
every value moves alone, and a compiler repeats that in each kernel that reads the result. With the convolution's rows
in the order (i, j, c), which costs nothing, whole vectors of channels move.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from surrogate.lower.graph import tensor_of

if TYPE_CHECKING:
    from torch import Tensor


def order_shuffles(graph: Any) -> None:
    """Rewrite every ``pixel_shuffle(conv2d(x))`` of a GraphModule whose convolution has no other reader."""
    import torch

    aten = torch.ops.aten
    for number, node in enumerate(list(graph.graph.nodes)):
        if node.target is not aten.pixel_shuffle.default:
            continue
        conv, factor = node.args
        weight = tensor_of(graph, conv.args[1]) if conv.target is aten.conv2d.default else None
        grouped = len(conv.args) > 6 and conv.args[6] != 1
        if weight is None or grouped or len(conv.users) != 1:
            continue
        rows = [weight]
        if len(conv.args) > 2 and conv.args[2] is not None:
            bias = tensor_of(graph, conv.args[2])
            if bias is None:
                continue
            rows.append(bias)
        constants = []
        with graph.graph.inserting_before(conv):
            for kind, value in zip(("weight", "bias"), rows, strict=False):
                name = f"shuffle_{number}_{kind}"
                graph.register_buffer(name, _ordered(value.detach(), factor))
                constants.append(graph.graph.get_attr(name))
        conv.args = (conv.args[0], *constants, *conv.args[1 + len(constants) :])
        name = f"shuffle_{number}"
        graph.add_submodule(name, _class()(factor))
        with graph.graph.inserting_before(node):
            replacement = graph.graph.call_module(name, (conv,))
        node.replace_all_uses_with(replacement)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _ordered(rows: Tensor, factor: int) -> Tensor:
    """Rows (c, i, j) of a weight or bias → (i, j, c)."""
    split = rows.reshape(-1, factor**2, *rows.shape[1:])  # (C, r², …)
    return split.transpose(0, 1).reshape(rows.shape).contiguous()


@cache
def _class() -> Any:
    # inside a function, because torch is imported late: the run time needs none
    import torch

    class DepthToSpace(torch.nn.Module):
        """Channels (i, j, c) of a cell become r × r cells."""

        def __init__(self, factor: int) -> None:
            super().__init__()
            self.factor = factor

        def forward(self, x: Any) -> Any:
            """(B, r² C, ny, nx) → (B, C, r ny, r nx)."""
            r = self.factor
            batch, channels, ny, nx = x.shape
            x = x.permute(0, 2, 3, 1).reshape(batch, ny, nx, r, r, channels // r**2)
            x = x.permute(0, 1, 3, 2, 4, 5).reshape(batch, r * ny, r * nx, channels // r**2)
            return x.permute(0, 3, 1, 2)  # (B, C, r ny, r nx), channels-last

    return DepthToSpace
