"""A convolution in a given precision, as a module with constant weights."""

from __future__ import annotations

from functools import cache
from typing import Any

from surrogate.lower.graph import tensor_of


def make_convolution(graph: Any, node: Any, dtype: Any) -> Any:
    """The module that does what `node` does, with input, weights and result in `dtype`."""
    weight = tensor_of(graph, node.args[1])
    assert weight is not None
    bias = tensor_of(graph, node.args[2]) if len(node.args) > 2 else None
    return _class()(node.target, weight.detach(), bias, node.args[3:], node.kwargs, dtype)


@cache
def _class() -> Any:
    # inside a function, because torch is imported late: the run time needs none
    import torch

    class Convolution(torch.nn.Module):
        """``operator(x, weight, bias, *rest, **more)`` in one dtype."""

        def __init__(
            self, operator: Any, weight: Any, bias: Any, rest: Any, more: Any, dtype: Any
        ) -> None:
            super().__init__()
            self.operator, self.rest, self.more = operator, tuple(rest), dict(more)
            self.dtype, self.image = dtype, weight.ndim == 4
            kept = weight.to(dtype)
            if (
                self.image
            ):  # convolutions on CPUs need no reordering then, and norms over channels one pass
                kept = kept.contiguous(memory_format=torch.channels_last)
            self.register_buffer("weight", kept)
            self.register_buffer("bias", None if bias is None else bias.detach().to(dtype))

        def forward(self, x: Any) -> Any:
            """(B, C, …) → (B, K, …)."""
            x = x.to(self.dtype)
            if self.image:
                x = x.contiguous(memory_format=torch.channels_last)
            return self.operator(x, self.weight, self.bias, *self.rest, **self.more)

    return Convolution
