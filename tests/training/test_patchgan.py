"""The PatchGAN discriminator: the published net, and how far a patch reaches."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from surrogate_training.config import Discriminator
from surrogate_training.models.patchgan import PatchGAN
from torch import nn


def patchgan(channels: int = 2, **config: Any) -> PatchGAN:
    torch.manual_seed(0)
    return PatchGAN(channels, Discriminator(**config))


def reach(net: PatchGAN, cells: int) -> int:
    """Rows of the input that the middle logit reads: those whose NaN turns it into one."""
    frames = torch.zeros(cells, 1, cells, cells)
    frames[range(cells), 0, range(cells)] = math.nan  # sample n: row n
    with torch.no_grad():
        logits = net(torch.zeros_like(frames), frames)  # (cells, 1, n, n)
    middle = logits.shape[-1] // 2
    return int(logits[:, 0, middle, middle].isnan().sum())


@pytest.mark.parametrize(("layers", "cells"), [(0, 1), (1, 16), (2, 34), (3, 70)])
def test_a_logit_reads_a_patch_of_the_published_size(layers: int, cells: int) -> None:
    net = patchgan(layers=layers, base=1, norm="none")
    assert reach(net, {0: 8, 1: 24, 2: 56, 3: 112}[layers]) == cells


def test_it_has_the_published_layers_and_number_of_parameters() -> None:
    net = patchgan(6)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convs] == [64, 128, 256, 512, 1]
    assert [c.stride[0] for c in convs] == [2, 2, 2, 1, 1]
    assert {c.kernel_size for c in convs} == {(4, 4)}
    assert len([m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]) == 3  # not on the first
    # the authors' implementation prints 2.769 M for three channels each of condition and frame
    assert sum(p.numel() for p in net.parameters()) == 2_768_705


def test_without_layers_it_judges_cells_by_1x1_convolutions() -> None:
    net = patchgan(layers=0)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.out_channels, c.kernel_size) for c in convs] == [
        (64, (1, 1)),
        (128, (1, 1)),
        (1, (1, 1)),
    ]
    assert net(torch.zeros(2, 1, 5, 7), torch.zeros(2, 1, 5, 7)).shape == (2, 1, 5, 7)


def test_initial_weights_are_normal_with_the_published_deviation() -> None:
    net = patchgan(6)
    weights = torch.cat([m.weight.flatten() for m in net.modules() if isinstance(m, nn.Conv2d)])
    assert float(weights.std().detach()) == pytest.approx(0.02, rel=0.01)
    assert float(weights.mean().detach()) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_the_smallest_grid_gives_one_logit(layers: int, norm: str) -> None:
    net = patchgan(layers=layers, base=2, norm=norm)
    frame = torch.randn(2, 1, net.smallest, net.smallest)
    assert net(frame, frame).shape == (2, 1, 1, 1)


def test_spectral_norm_bounds_every_layer_and_keeps_the_norms_apart() -> None:
    net = patchgan(layers=1, base=8, norm="instance", spectral_norm=True)
    frame = torch.randn(2, 1, 16, 16)
    for _ in range(30):  # one power iteration a call
        net(frame, frame)
    for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
        largest = torch.linalg.matrix_norm(conv.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, rel=0.02)
    assert any(type(m).__name__.startswith("InstanceNorm") for m in net.modules())
