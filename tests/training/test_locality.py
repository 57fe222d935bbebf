"""Locality measured by NaN propagation is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import magnetic
import pytest
import torch
from surrogate_training.config import ResidualUNetConfig
from surrogate_training.data.statistics import Statistics
from surrogate_training.locality import measure_locality
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.residual_unet import ResidualUNet, analytic_radius


@pytest.mark.parametrize("block", ["residual", "convnext"])
@pytest.mark.parametrize(
    ("stem", "widths", "encoder", "decoder"),
    [
        (1, (4,), (1,), ()),
        (2, (4,), (2,), ()),
        (1, (4, 4), (1, 1), (1,)),
        (2, (4, 4), (0, 1), (1,)),
    ],
)
def test_the_measured_receptive_field_is_that_of_the_layers(
    block: Literal["residual", "convnext"],
    stem: int,
    widths: tuple[int, ...],
    encoder: tuple[int, ...],
    decoder: tuple[int, ...],
) -> None:
    config = ResidualUNetConfig(
        block=block, stem=stem, widths=widths, encoder_blocks=encoder, decoder_blocks=decoder
    )
    found = measure_locality(ResidualUNet(2, 1, config), channels=2, multiple=config.multiple)
    radius = analytic_radius(config)
    assert found.receptive_field == (radius, radius)
    assert found.stride == (config.multiple, config.multiple)
    assert not found.reduces_over_space
    assert found.grid >= 4 * radius


def test_a_convolution_has_radius_and_stride_one() -> None:
    found = measure_locality(torch.nn.Conv2d(1, 1, (3, 5), padding=(1, 2)), channels=1, multiple=4)
    assert found.receptive_field == (1, 2)
    assert found.stride == (1, 1)


def test_three_axes_are_measured_each_for_itself() -> None:
    net = torch.nn.Conv3d(1, 1, (1, 3, 5), padding=(0, 1, 2))
    found = measure_locality(net, channels=1, multiple=2, axes=3)
    assert found.receptive_field == (0, 1, 2)
    assert found.stride == (1, 1, 1)


def test_a_mean_over_space_is_found() -> None:
    found = measure_locality(
        lambda x: x - x.mean((2, 3), keepdim=True), channels=1, multiple=2, limit=64
    )
    assert found.reduces_over_space


def test_the_whole_model_adds_curl_and_filter(
    make_recipe: Callable[..., Any], random_model: Callable[..., Any], statistics: Statistics
) -> None:
    recipe = make_recipe(
        model={"widths": [4], "encoder_blocks": [1], "decoder_blocks": [], "smoothing": 3}
    )
    found = measure_locality(random_model(recipe, statistics), channels=5, multiple=2)
    expected = analytic_radius(recipe.model) + 3 + 1
    assert found.receptive_field == (expected, expected)


def test_a_tile_with_that_halo_gives_the_serial_answer(
    make_recipe: Callable[..., Any], random_model: Callable[..., Any], statistics: Statistics
) -> None:
    recipe = make_recipe(model={"widths": [4], "encoder_blocks": [1], "decoder_blocks": []})
    model = random_model(recipe, statistics).double()
    found = measure_locality(model.float(), channels=5, multiple=2)
    model = model.double()
    k = found.stride[0]
    halo = -(-found.receptive_field[0] // k) * k
    x = torch.randn(1, 5, 4 * halo, 4 * halo, dtype=torch.float64)
    tile = x[..., : 2 * halo + k, : 2 * halo + k]
    inside = slice(halo, halo + k)
    torch.testing.assert_close(
        model(tile)[..., inside, inside], model(x)[..., inside, inside], rtol=0, atol=1e-10
    )


def test_conditions_parameters_and_scalings_add_nothing_to_the_reach() -> None:
    recipe = magnetic.magnetic_recipe(magnetic.RESIDUAL, parameters=(magnetic.DT,))
    model = FieldModel(recipe, magnetic.magnetic_statistics(recipe)).eval()
    dt = torch.tensor([[4.0]])
    found = measure_locality(lambda x: model(x, dt), channels=3, multiple=recipe.model.multiple)
    radius = analytic_radius(recipe.model)
    assert found.receptive_field == (radius, radius)
