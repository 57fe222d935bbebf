"""Transposed convolutions with few output channels, as a matrix product and a sum of overlapping patches.

A library gives the output channels to the lanes of its vectors: with three of them most are idle, and the last layer of
pix2pix's U-Net, 2 % of its products, took 16 % of its time. As one product the lanes hold taps and channels together.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from surrogate.lower.graph import tensor_of

FEW = 8  # output channels: half a vector of float32


def unfold_transposed(graph: Any) -> None:
    """Rewrite every ``conv_transpose2d`` of a GraphModule with few output channels that doubles, or multiplies, a grid.

    It must have a kernel of 2s, stride s and padding s / 2 along both axes, and no groups.
    """
    import torch

    aten = torch.ops.aten
    usual: list[Any] = [
        None,
        [1, 1],
        [0, 0],
        [0, 0],
        1,
        [1, 1],
    ]  # bias, stride, padding, output padding, …
    for number, node in enumerate(list(graph.graph.nodes)):
        if node.target is not aten.conv_transpose2d.input:
            continue
        given = list(node.args[2:])
        bias, stride, *rest = given + usual[len(given) :]
        weight = tensor_of(graph, node.args[1])
        if weight is None or (bias is not None and tensor_of(graph, bias) is None):
            continue
        _, channels, *kernel = weight.shape
        s = stride[0]
        fits = [stride, kernel, *rest] == [[s, s], [2 * s, 2 * s], [s // 2] * 2, [0, 0], 1, [1, 1]]
        if s % 2 or channels > FEW or not fits:
            continue
        product, patches = f"patches_{number}_weight", f"patches_{number}"
        rows = weight.detach().permute(2, 3, 1, 0).flatten(0, 2)  # (ky kx K, C)
        graph.register_buffer(product, rows[:, :, None, None].contiguous())
        offset = None if bias is None else tensor_of(graph, bias)
        graph.add_submodule(patches, _class()(s, channels, offset))
        with graph.graph.inserting_before(node):
            constant = graph.graph.get_attr(product)
            taps = graph.graph.call_function(aten.conv2d.default, (node.args[0], constant))
            replacement = graph.graph.call_module(patches, (taps,))
        node.replace_all_uses_with(replacement)
        graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()
    graph.recompile()


@cache
def _class() -> Any:
    # inside a function, because torch is imported late: the run time needs none
    import torch

    class Patches(torch.nn.Module):
        """Patches of 2s × 2s cells, s apart, summed where they overlap and cut by s / 2 on every side."""

        def __init__(self, s: int, channels: int, bias: Any) -> None:
            super().__init__()
            self.s, self.channels = s, channels
            self.register_buffer("bias", None if bias is None else bias.detach().clone())

        def forward(self, x: Any) -> Any:
            """(B, 4 s² K, ny, nx) → (B, K, s ny, s nx)."""
            s, channels = self.s, self.channels
            batch, _, ny, nx = x.shape
            x = x.permute(0, 2, 3, 1).reshape(batch, ny, nx, 2, s, 2, s, channels)
            # (B, ny + 1, nx + 1, s, s, K): blocks of s × s cells, in which up to four patches have a part
            whole: Any = 0
            for j in (0, 1):
                for i in (0, 1):
                    part, around = x[:, :, :, j, :, i], (i, 1 - i, j, 1 - j)
                    whole = whole + torch.nn.functional.pad(part, (0, 0) * 3 + around)
            if self.bias is not None:
                whole = whole + self.bias
            whole = whole.permute(0, 5, 1, 3, 2, 4).reshape(
                batch, channels, s * (ny + 1), s * (nx + 1)
            )
            cut = slice(s // 2, -(s // 2))
            return whole[:, :, cut, cut]

    return Patches
