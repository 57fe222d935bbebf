"""Scaled units: one way is the other's inverse, and zero is persistence."""

from __future__ import annotations

from dataclasses import replace

import magnetic
import pytest
import torch
from surrogate_training.config import Recipe
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.scaling import Scaling
from surrogate_training.models.units import Units
from surrogate_training.recipe import RecipeError


def pair_of(recipe: Recipe) -> tuple[FieldModel, Scaling]:
    statistics = magnetic.magnetic_statistics(recipe)
    torch.manual_seed(0)
    model = FieldModel(recipe, statistics)
    with torch.no_grad():  # the last layer too, which starts at zero
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return model.eval().requires_grad_(False), Scaling(recipe, statistics)


@pytest.mark.parametrize("scaling", ["linear", "asinh"])
def test_physical_values_come_back_from_scaled_ones(scaling: str) -> None:
    recipe = magnetic.magnetic_recipe(scaling=scaling)
    units = Units.of(recipe.predicted[0], magnetic.magnetic_statistics(recipe).fields["br"])
    u = torch.linspace(-2000, 2000, 401, dtype=torch.float64)
    y = units.frame_of_unit(units.unit(u))
    torch.testing.assert_close(y * units.std + units.mean, u, rtol=1e-12, atol=1e-9)
    x = (u - units.mean) / units.std
    y = units.frame(units.seen(x))
    torch.testing.assert_close(y * units.std + units.mean, u, rtol=1e-12, atol=1e-9)
    low = ((u - units.mean) / units.std).float()
    back = units.frame(units.seen(low)) * units.std + units.mean
    torch.testing.assert_close(back.double(), u, rtol=2e-6, atol=2e-5)


def test_unit_scaled_values_of_the_training_range_lie_within_one() -> None:
    recipe = magnetic.magnetic_recipe()
    scaling = Scaling(recipe, magnetic.magnetic_statistics(recipe))
    frame = torch.tensor([-2000.0, 0.0, 1500.0])[None, None, None]
    unit = scaling.unit_scaled(frame).flatten()
    assert unit[0] == pytest.approx(-1)
    assert unit[1] == 0
    assert 0.9 < unit[2] < 1


@pytest.mark.parametrize("scaling", ["linear", "asinh"])
def test_a_field_of_one_sign_fills_the_unit_scaled_range(scaling: str) -> None:
    recipe = magnetic.magnetic_recipe(scaling=scaling)
    of_br = magnetic.magnetic_statistics(recipe).fields["br"]
    for sign in (1, -1):
        ends = sorted((sign * 900.0, sign * 1000.0))
        units = Units.of(recipe.predicted[0], replace(of_br, minimum=ends[0], maximum=ends[1]))
        u = torch.tensor(ends, dtype=torch.float64)
        torch.testing.assert_close(units.unit(u), torch.tensor([-1.0, 1.0]).double())
        back = units.frame_of_unit(units.unit(u)) * units.std + units.mean
        torch.testing.assert_close(back, u)


@pytest.mark.parametrize("model", [magnetic.RESIDUAL, magnetic.CONVNEXT])
def test_an_untrained_net_is_exact_persistence_and_of_frames_the_mean(model: dict) -> None:
    u1 = magnetic.magnetic_state()
    for target, expected in (
        ("increment", u1[:, 1:2]),
        ("frame", torch.full((1, 1, 32, 32), 50.0 * torch.tensor(0.02).sinh())),
    ):
        recipe = magnetic.magnetic_recipe({**model, "target": target})
        statistics = magnetic.magnetic_statistics(recipe)
        scaling = Scaling(recipe, statistics)
        frame = scaling.frame(u1, FieldModel(recipe, statistics)(scaling.normalise(u1)))
        if target == "increment":
            assert torch.equal(frame, expected)
        else:
            torch.testing.assert_close(frame, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        magnetic.RESIDUAL,
        {**magnetic.RESIDUAL, "target": "frame"},
        {**magnetic.UNET, "norm": "instance"},
        {**magnetic.UNET, "target": "frame"},
        magnetic.PIX2PIX,
    ],
)
@pytest.mark.parametrize("scaling", ["linear", "asinh"])
def test_the_unit_scaled_frame_is_that_of_the_physical_one(model: dict, scaling: str) -> None:
    generator, scales = pair_of(magnetic.magnetic_recipe(model, scaling=scaling))
    u1 = magnetic.magnetic_state(batch=2)
    x = scales.normalise(u1)
    frame = scales.frame(u1, generator(x))  # (2, 1, ny, nx)
    unit = generator.scaled(x)
    assert unit.shape == frame.shape == (2, 1, 32, 32)
    assert not torch.equal(frame, u1[:, 1:2])
    torch.testing.assert_close(scales.unit_scaled(frame), unit, rtol=1e-4, atol=1e-5)


def test_with_tanh_the_scaled_frame_is_the_nets_own_output() -> None:
    generator, scales = pair_of(magnetic.magnetic_recipe(magnetic.PIX2PIX))
    x = scales.normalise(magnetic.magnetic_state())
    net = generator.net(generator.features(x))
    assert torch.equal(generator.scaled(x), net)
    assert net.abs().max() < 1


def test_conditions_stay_in_the_state_and_are_seen_unit_scaled() -> None:
    _, scales = pair_of(magnetic.magnetic_recipe())
    u1, frame = magnetic.magnetic_state(), torch.full((1, 1, 32, 32), 7.0)
    u2 = scales.state(u1, frame)
    assert torch.equal(u2[:, [0, 2]], u1[:, [0, 2]])
    assert torch.equal(u2[:, 1:2], frame)
    seen = scales.conditions(u1)
    torch.testing.assert_close(seen[:, 0], u1[:, 0] / 40.0)
    torch.testing.assert_close(seen[:, 1:2], scales.unit_scaled(u1[:, 1:2]))


@pytest.mark.parametrize("target", ["increment", "frame"])
def test_a_wild_output_stays_finite(target: str) -> None:
    recipe = magnetic.magnetic_recipe()
    units = Units.of(recipe.predicted[0], magnetic.magnetic_statistics(recipe).fields["br"])
    z = torch.tensor([-1e30, 1e30])
    y = units.frame(z) if target == "frame" else units.increment(torch.tensor([20.0, 20.0]), z)
    assert torch.isfinite(y).all()


def test_steepness_is_the_slope_of_the_output() -> None:
    recipe = magnetic.magnetic_recipe()
    units = Units.of(recipe.predicted[0], magnetic.magnetic_statistics(recipe).fields["br"])
    x, z = torch.tensor(3.0, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    for found, of_frame in ((lambda z: units.increment(x, z), False), (units.frame, True)):
        slope = torch.autograd.functional.jacobian(found, z)
        u2 = found(z) * (units.std if of_frame else units.increment_std)
        u2 = u2 + (units.mean if of_frame else units.denormalised(x))
        steepness = units.steepness(float(u2), of_frame=of_frame)
        assert steepness == pytest.approx(float(slope), rel=1e-9)


def test_what_cannot_be_is_refused_in_the_recipe() -> None:
    with pytest.raises(RecipeError, match="target: frame, or tanh"):
        magnetic.magnetic_recipe({**magnetic.UNET, "tanh": True})
    with pytest.raises(RecipeError, match="count each batch twice"):
        magnetic.magnetic_recipe({**magnetic.UNET, "checkpointing": True})
    with pytest.raises(RecipeError, match="only a linear scaling keeps"):
        magnetic.magnetic_recipe({**magnetic.RESIDUAL, "features": [{"curl": "br"}, "vlon"]})
