"""Which convolutions stay in float32, so that the rest may be rounded and the net still passes the gate.

Each convolution is rounded alone and its error measured; independent errors add by squares. From "all rounded", those
with the largest squared error per product return to float32 until the predicted sum passes with some room, and the
whole is judged again; while it fails or passes barely, the room is made larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from surrogate.lower.gate import Verdict
from surrogate.lower.graph import convolutions, last_convolutions, tensor_of

ROOMS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.35)  # predicted error over its limit that is aimed at
# Measured error over its limit that is enough. Compiled programs round elsewhere and were up to 5 % worse.
EAGER = 0.93


def choose_kept(
    graph: Any,
    judge: Callable[[set[int], int | None], Verdict],
    inputs: Sequence[Any],
    precision: str,
) -> tuple[set[int], int, Verdict]:
    """Numbers of the convolutions to keep in float32 besides the last, how many there are, and the verdict.

    Parameters
    ----------
    graph : torch.fx.GraphModule
        float32.
    judge : callable
        The gate's verdict on the net with these convolutions kept, on so many of its states (None: all).
    inputs : sequence of ndarray
        One state, from which the work of each convolution is counted.
    precision : {"fp32", "bf16", "fp16"}
    """
    nodes, last = convolutions(graph), last_convolutions(graph)
    verdict = judge(set(), None)
    if verdict.worst <= EAGER or precision == "fp32":
        return set(), len(nodes), verdict
    movable = [number for number, node in enumerate(nodes) if node not in last]
    work = _work(graph, nodes, inputs)
    share = {number: judge(set(movable) - {number}, 1).worst ** 2 for number in movable}
    kept: set[int] = set()
    for room in ROOMS:
        for number in sorted(movable, key=lambda n: share[n] / work[n], reverse=True):
            if sum(share[n] for n in movable if n not in kept) <= room**2:
                break
            kept.add(number)
        verdict = judge(kept, None)
        if verdict.worst <= EAGER:
            break
    return kept, len(nodes), verdict


def _work(graph: Any, nodes: Sequence[Any], inputs: Sequence[Any]) -> dict[int, float]:
    """Products of each convolution on these inputs: its weights times the cells that they are applied to."""
    import torch

    sizes: dict[Any, int] = {}

    class Watch(torch.fx.Interpreter):
        def run_node(self, n: Any) -> Any:
            result = super().run_node(n)
            if n in nodes:
                transposed = "transpose" in str(n.target)
                shape = self.env[n.args[0]].shape if transposed else result.shape
                sizes[n] = shape[1:].numel() // shape[1]
            return result

    with torch.no_grad():
        Watch(graph).run(*(torch.from_numpy(entry) for entry in inputs))
    work = {}
    for number, node in enumerate(nodes):
        weight = tensor_of(graph, node.args[1])
        assert weight is not None
        work[number] = float(weight.numel() * sizes[node])
    return work
