"""Properties of the generator: persistence, gauge freedom, equivariance, padding, exact locality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from surrogate_training.config import ResidualUNetConfig
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.blocks import pad
from surrogate_training.models.fields import FieldModel, curl
from surrogate_training.models.residual_unet import ResidualUNet


def state(n: int = 32, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 5, n, n, generator=torch.Generator().manual_seed(3))


def test_the_initial_output_is_exactly_zero(
    statistics: Statistics, make_recipe: Callable[..., Any]
) -> None:
    y = FieldModel(make_recipe(), statistics)(state())
    assert torch.equal(y, torch.zeros_like(y))


def test_a_constant_added_to_the_potential_changes_nothing_but_rounding(
    statistics: Statistics, make_recipe: Callable[..., Any], random_model: Callable[..., Any]
) -> None:
    model = random_model(make_recipe(), statistics).double()
    x = state().double()
    shifted = x.clone()
    shifted[:, 4] += 3.0
    assert not torch.equal(model(x), torch.zeros_like(x))
    torch.testing.assert_close(model(shifted), model(x), rtol=0, atol=1e-9)


def test_the_curl_feature_has_unit_variance_on_the_training_data(
    statistics: Statistics, make_recipe: Callable[..., Any]
) -> None:
    model = FieldModel(make_recipe(), statistics)
    s = statistics.fields["az"]
    wave = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    b = model.features(torch.cat([torch.zeros(1, 4, 64, 64), wave], 1))[:, 4:]
    physical = curl(wave * s.std, statistics.spacing, ("periodic", "periodic"))
    torch.testing.assert_close(b * s.gradient_std, physical, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("block", ["residual", "convnext"])
@pytest.mark.parametrize("stem", [1, 2])
def test_translations_by_the_stride_commute_with_the_model(
    statistics: Statistics,
    stem: int,
    block: str,
    make_recipe: Callable[..., Any],
    random_model: Callable[..., Any],
) -> None:
    recipe = make_recipe(model={"stem": stem, "block": block})
    model = random_model(recipe, statistics).double()
    k = recipe.model.multiple
    x = state().double()
    moved = model(x.roll((k, -2 * k), (2, 3)))
    torch.testing.assert_close(moved, model(x).roll((k, -2 * k), (2, 3)), rtol=0, atol=1e-10)


def test_any_multiple_of_the_stride_is_accepted(
    statistics: Statistics, make_recipe: Callable[..., Any], random_model: Callable[..., Any]
) -> None:
    model = random_model(make_recipe(), statistics)
    assert model(torch.randn(1, 5, 20, 44)).shape == (1, 5, 20, 44)


def test_the_curl_of_a_potential_is_free_of_divergence() -> None:
    a = torch.randn(1, 1, 16, 16, dtype=torch.float64)
    b = curl(a, (0.1, 0.2), ("periodic", "periodic"))
    bx, by = b[0]
    divergence = (bx.roll(-1, 1) - bx) / 0.2 + (by.roll(-1, 0) - by) / 0.1
    assert divergence.abs().max() < 1e-12


def test_padding_follows_the_boundary() -> None:
    x = torch.arange(3.0)[None, None, :, None].expand(1, 1, 3, 3)
    column = {
        kind: pad(x, 1, (kind, "zero"))[0, 0, :, 1].tolist()
        for kind in ("periodic", "replicate", "zero")
    }
    assert column == {
        "periodic": [2, 0, 1, 2, 0],
        "replicate": [0, 0, 1, 2, 2],
        "zero": [0, 0, 1, 2, 0],
    }
    assert pad(x, 1, ("periodic", "zero"))[0, 0, :, 0].tolist() == [0] * 5


@pytest.mark.parametrize("boundary", ["replicate", "zero"])
def test_walls_do_not_see_the_far_side(boundary: str) -> None:
    config = ResidualUNetConfig(
        widths=(8,), encoder_blocks=(1,), decoder_blocks=(), stem=1, boundary=(boundary,) * 2
    )  # type: ignore[arg-type]
    net = ResidualUNet(1, 1, config)
    torch.nn.init.ones_(net.exit.conv.weight)
    x = torch.randn(1, 1, 32, 32)
    poisoned = x.clone()
    poisoned[..., -1, :] = torch.nan
    assert torch.isfinite(net(poisoned)[..., :16, :]).all()


def test_cells_of_a_batch_do_not_see_each_other(
    statistics: Statistics, make_recipe: Callable[..., Any], random_model: Callable[..., Any]
) -> None:
    model = random_model(make_recipe(), statistics)
    x = state(batch=3)
    torch.testing.assert_close(model(x)[1:2], model(x[1:2]), rtol=0, atol=1e-5)
