"""Which part of a net runs in bfloat16 or float16, and what stays in float32.

Convolutions and matrix products get their input and weights in the low precision (products are accumulated in float32
by the library), what lies between follows by torch's promotion rules: what only low-precision operators have made is
stored low. Attention takes queries, keys and values in the low precision. Two parts stay in float32. Features before
the first convolution, because a difference of neighbouring cells cancels digits. And the last convolutions before the
output: their cost is a few per cent of the net, while a rounded increment would be noise at the grid scale, which a
curl amplifies.

Measured on Zen 4 (AVX-512 bf16, no AMX), CPU time of one thread on a busy machine: products of 1024² matrices run at
about 90 GFLOP/s in float32 and 205 in bfloat16, so that rounding alone gains about 2.2 over a float32 program that runs
at the machine's rate. Minimal filtering (Winograd) as graph operators around batched products was 1.4 times faster
than the direct bfloat16 convolution on one layer (96 channels, 32²) and 1.06 on another (32 channels, 64²), and gained
nothing in two whole nets; there it was compiled with other differences besides, so that the question is not settled.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from surrogate.lower.convolution import make_convolution
from surrogate.lower.graph import convolutions, last_convolutions


def lower_precision(graph: Any, precision: str, *, kept: Collection[int] = ()) -> None:
    """Replace the convolutions of a GraphModule by ones that compute in `precision`.

    Parameters
    ----------
    graph : torch.fx.GraphModule
        Changed in place; it reads and returns float32 as before.
    precision : {"fp32", "bf16", "fp16"}
    kept : collection of int
        Convolutions, by their number in the graph, that stay in float32 besides the last.
    """
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    last, stored = last_convolutions(graph), dict[Any, Any]()
    for number, node in enumerate(convolutions(graph)):
        inner = torch.float32 if node in last or number in kept else dtype
        name = f"lowered_{number}"
        graph.add_submodule(name, make_convolution(graph, node, inner, stored))
        with graph.graph.inserting_before(node):
            replacement = graph.graph.call_module(name, (node.args[0],))
        node.replace_all_uses_with(replacement)
        graph.graph.erase_node(node)
    if dtype != torch.float32:
        _lower_attention(graph, dtype)
    output = next(node for node in graph.graph.nodes if node.op == "output")
    with graph.graph.inserting_before(output):
        output.args = torch.fx.node.map_arg(
            output.args, lambda node: graph.graph.call_method("float", (node,))
        )
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _lower_attention(graph: Any, dtype: Any) -> None:
    """Give attention queries, keys and values of one type: queries turned by float32 angles come in float32."""
    import torch

    for node in graph.graph.nodes:
        if node.target is torch.ops.aten.scaled_dot_product_attention.default:
            with graph.graph.inserting_before(node):
                cast = [graph.graph.call_method("to", (entry, dtype)) for entry in node.args[:3]]
            node.args = (*cast, *node.args[3:])
