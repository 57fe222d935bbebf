"""A convolution in a given precision, as a module with constant weights."""

from __future__ import annotations

from functools import cache
from typing import Any

from surrogate.lower.graph import tensor_of


def make_convolution(graph: Any, node: Any, dtype: Any, stored: dict[Any, Any]) -> Any:
    """The module that does what `node` does, with input, weights and result in `dtype`.

    `stored` holds the weights of those that were made: a sampler evaluates one net several times, and has it once.
    """
    key = (node.args[1].target, dtype)
    if key not in stored:
        weight = tensor_of(graph, node.args[1])
        assert weight is not None
        stored[key] = _kept(weight.detach(), dtype)
    bias = tensor_of(graph, node.args[2]) if len(node.args) > 2 else None
    return _class()(node.target, stored[key], bias, node.args[3:], node.kwargs)


def _kept(weight: Any, dtype: Any) -> Any:
    """Convolutions of images on CPUs need no reordering if channels stand last, and norms over channels one pass."""
    import torch

    kept = weight.to(dtype)
    return kept.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else kept


@cache
def _class() -> Any:
    # inside a function, because torch is imported late: the run time needs none
    import torch

    class Convolution(torch.nn.Module):
        """``operator(x, weight, bias, *rest, **more)`` in the weight's dtype."""

        def __init__(self, operator: Any, weight: Any, bias: Any, rest: Any, more: Any) -> None:
            super().__init__()
            self.operator, self.rest, self.more = operator, tuple(rest), dict(more)
            self.dtype, self.image = weight.dtype, weight.ndim == 4
            self.register_buffer("weight", weight)
            self.register_buffer("bias", None if bias is None else bias.detach().to(self.dtype))

        def forward(self, x: Any) -> Any:
            """(B, C, …) → (B, K, …)."""
            x = x.to(self.dtype)
            if self.image:
                x = x.contiguous(memory_format=torch.channels_last)
            return self.operator(x, self.weight, self.bias, *self.rest, **self.more)

    return Convolution
