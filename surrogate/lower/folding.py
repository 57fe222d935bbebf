"""Batch norms with fixed statistics, folded into the convolution before them: exact, and one pass less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from surrogate.lower.graph import tensor_of

if TYPE_CHECKING:
    from torch import Tensor


def fold_batch_norms(graph: Any) -> None:
    """Fold every ``batch_norm(conv(x))`` of a GraphModule whose convolution has no other reader.

    y = (w∗x + b - mean) γ / sqrt(var + ε) + β  =  (w s)∗x + (b - mean) s + β,  s = γ / sqrt(var + ε)
    """
    import torch

    aten = torch.ops.aten
    constants: dict[Any, list[str]] = {}
    output_axis = {aten.conv2d.default: 0, aten.conv3d.default: 0, aten.conv_transpose2d.input: 1}
    for norm in list(graph.graph.nodes):
        if norm.target is not aten.batch_norm.default or norm.args[5]:  # args[5]: training
            continue
        conv = norm.args[0]
        groups_at = 8 if conv.target is aten.conv_transpose2d.input else 6
        grouped = len(conv.args) > groups_at and conv.args[groups_at] != 1
        if conv.target not in output_axis or len(conv.users) != 1 or grouped:
            continue
        weight, bias = tensor_of(graph, conv.args[1]), None
        if len(conv.args) > 2 and conv.args[2] is not None:
            bias = tensor_of(graph, conv.args[2])
        values = [None if entry is None else tensor_of(graph, entry) for entry in norm.args[1:5]]
        if weight is None or values[2] is None or values[3] is None:
            continue
        key = tuple(getattr(entry, "target", None) for entry in (*conv.args[1:3], *norm.args[1:5]))
        if key not in constants:  # a sampler evaluates one net several times
            folded = _folded(weight, bias, values, norm.args[7], output_axis[conv.target])
            constants[key] = _store(graph, norm.name, folded)
        _replace(graph, norm, conv, constants[key])
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _folded(
    weight: Tensor, bias: Tensor | None, values: list[Tensor | None], epsilon: float, axis: int
) -> tuple[Tensor, Tensor]:
    import torch

    gamma, beta, mean, variance = (
        None if entry is None else entry.detach().double() for entry in values
    )
    assert mean is not None
    assert variance is not None
    scale = (variance + epsilon).rsqrt() * (1.0 if gamma is None else gamma)  # (K,)
    shape = [1] * weight.ndim
    shape[axis] = -1
    start = torch.zeros_like(mean) if bias is None else bias.detach().double()
    shift = (start - mean) * scale + (0.0 if beta is None else beta)
    return (weight.detach().double() * scale.reshape(shape)).float(), shift.float()


def _store(graph: Any, name: str, folded: tuple[Tensor, Tensor]) -> list[str]:
    names = [f"folded_{name}_weight", f"folded_{name}_bias"]
    for constant, value in zip(names, folded, strict=True):
        graph.register_buffer(constant, value)
    return names


def _replace(graph: Any, norm: Any, conv: Any, names: list[str]) -> None:
    with graph.graph.inserting_before(conv):
        constants = [graph.graph.get_attr(name) for name in names]
    conv.args = (conv.args[0], *constants, *conv.args[3:])
    norm.replace_all_uses_with(conv)
    graph.graph.erase_node(norm)
