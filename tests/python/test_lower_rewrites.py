"""Rewrites of a graph before it is lowered: each keeps the result, and leaves alone what it does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from surrogate.lower.separable import split_filters
from surrogate.lower.shuffle import order_shuffles
from surrogate.lower.transposed import unfold_transposed

torch = pytest.importorskip("torch", reason="torch is missing")


class FilteredShuffle(torch.nn.Module):
    """A convolution, depth-to-space, and a filter of one channel, of rank one or not."""

    def __init__(self, kernel: Any) -> None:
        super().__init__()
        self.up = torch.nn.Conv2d(3, 8, 1)
        self.register_buffer("kernel", kernel[None, None])

    def forward(self, x: Any) -> Any:
        shuffled = torch.nn.functional.pixel_shuffle(self.up(x), 2)
        first = torch.nn.functional.conv2d(shuffled[:, :1], self.kernel)
        return torch.cat([first, shuffled[:, 1:, 1:-1, 2:-2]], 1)


def rewritten(kernel: Any, rewrite: Any) -> tuple[Any, float]:
    """The rewritten graph of the module above, and its largest difference from it."""
    torch.manual_seed(0)
    net, x = FilteredShuffle(kernel), torch.randn(2, 3, 8, 6)
    graph = torch.export.export(net, (x,)).module(check_guards=False)
    rewrite(graph)
    with torch.no_grad():
        return graph, float((graph(x) - net(x)).abs().max())


def targets(graph: Any) -> list[str]:
    return [str(node.target) for node in graph.graph.nodes]


def test_a_filter_of_rank_one_becomes_shifted_sums_and_keeps_its_result():
    kernel = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))
    graph, difference = rewritten(kernel / 64, split_filters)
    assert difference < 1e-6
    assert targets(graph).count("aten.conv2d.default") == 1


def test_a_filter_of_higher_rank_stays_a_convolution():
    graph, difference = rewritten(torch.arange(15.0).reshape(3, 5) ** 2, split_filters)
    assert difference == 0
    assert targets(graph).count("aten.conv2d.default") == 2


def test_depth_to_space_after_a_convolution_keeps_its_result():
    graph, difference = rewritten(torch.ones(3, 5), order_shuffles)
    assert difference < 1e-5
    assert "aten.pixel_shuffle.default" not in targets(graph)


@pytest.mark.parametrize("bias", [False, True])
def test_a_transposed_convolution_with_few_channels_becomes_a_product_with_the_same_result(
    bias: bool,
):
    torch.manual_seed(0)
    net, x = torch.nn.ConvTranspose2d(5, 3, 4, 2, 1, bias=bias), torch.randn(2, 5, 7, 6)
    graph = torch.export.export(net, (x,)).module(check_guards=False)
    unfold_transposed(graph)
    assert "aten.conv_transpose2d.input" not in targets(graph)
    with torch.no_grad():
        assert float((graph(x) - net(x)).abs().max()) < 1e-5


@pytest.mark.parametrize(
    "more", [{"out_channels": 16}, {"padding": 0}, {"kernel_size": 3}, {"output_padding": 1}]
)
def test_other_transposed_convolutions_are_left_alone(more: dict[str, int]):
    usual = {"out_channels": 3, "kernel_size": 4, "stride": 2, "padding": 1}
    net = torch.nn.ConvTranspose2d(5, **(usual | more))
    graph = torch.export.export(net, (torch.randn(2, 5, 7, 6),)).module(check_guards=False)
    unfold_transposed(graph)
    assert "aten.conv_transpose2d.input" in targets(graph)
