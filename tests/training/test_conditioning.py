"""Scalar parameters modulate the nets (FiLM), and dropout's masks come from noise."""

from __future__ import annotations

import magnetic
import pytest
import torch
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.unet import UNet

NETS = [magnetic.RESIDUAL, magnetic.CONVNEXT, {**magnetic.UNET, "norm": "instance"}]


def conditioned(model: dict, *, seed: int = 0) -> FieldModel:
    torch.manual_seed(seed)
    recipe = magnetic.magnetic_recipe(model, parameters=(magnetic.DT,))
    return FieldModel(recipe, magnetic.magnetic_statistics(recipe))


def disturb(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))


@pytest.mark.parametrize("net", NETS)
def test_parameters_change_nothing_at_first_and_the_output_once_trained(net: dict) -> None:
    model = conditioned(net)
    x = magnetic.magnetic_state(batch=2)
    short, long = torch.tensor([[2.0], [2.0]]), torch.tensor([[2.0], [6.0]])
    assert torch.equal(model(x, short), model(x, long))
    disturb(model)
    a, b = model(x, short), model(x, long)
    assert torch.equal(a[0], b[0])  # each sample has its own
    assert (a[1] - b[1]).abs().max() > 1e-3


def test_dt_learns_that_a_change_grows_with_it() -> None:
    model = conditioned(magnetic.SHALLOW)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)

    def loss() -> torch.Tensor:
        x = torch.randn(8, 3, 8, 8, generator=generator)
        dt = 2 + 4 * torch.rand(8, 1, generator=generator)
        expected = 0.1 * dt[..., None, None] * x[:, 2:]  # (8, 1, 8, 8)
        found = model._outputs(x, (dt,))
        return (found - expected).square().mean() / expected.square().mean()

    first = float(loss().detach())
    for _ in range(150):
        optimiser.zero_grad()
        error = loss()
        error.backward()
        optimiser.step()
    # without dt the best is the mean change: an error of var(dt) / mean(dt²) = 0.077
    assert first == pytest.approx(1)
    assert float(loss().detach()) < 0.03


def test_a_model_with_parameters_asks_for_them() -> None:
    model = conditioned(magnetic.RESIDUAL)
    x = magnetic.magnetic_state()
    with pytest.raises(ValueError, match="give them"):
        model.more_inputs(x, None)
    (dt,) = model.more_inputs(x, torch.tensor([[4.0]]))
    assert dt.shape == (1, 1)


def test_dropout_by_noise_keeps_half_of_the_inner_values_doubled() -> None:
    net = UNet(1, 1, levels=6, features=8, norm="none", dropout="noise")
    # levels 5, 4 and 3 of the decoder have 64, 64 and 32 channels on cells of 32², 16² and 8²
    assert net.noise_inputs == {"dropout": 3}
    noise = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    masks = [
        net._mask(
            noise, level, torch.empty(2, channels, 128 // 2 ** (level + 1), 128 // 2 ** (level + 1))
        )
        for level, channels in ((2, 32), (3, 64), (4, 64))
    ]
    assert [m.shape[1:] for m in masks] == [(32, 16, 16), (64, 8, 8), (64, 4, 4)]
    for mask in masks:
        assert set(mask.unique().tolist()) == {0.0, 2.0}
        assert float(mask.mean()) == pytest.approx(1, abs=0.1)
    assert not torch.equal(masks[1][:, :32, :4, :4], masks[2][:, :32])


def test_small_nets_take_enough_noise_for_every_channel() -> None:
    net = UNet(1, 1, levels=3, features=16, norm="none", dropout="noise")
    # level 2: 32 channels on cells of 4²: two channels of noise; level 1: 16 channels on cells of 2²: four
    assert net.noise_inputs == {"dropout": 6}
    x, noise = torch.randn(1, 1, 16, 16), torch.randn(2, 6, 16, 16)
    assert not torch.equal(net(x, None, noise[:1]), net(x, None, noise[1:]))
    assert torch.equal(net(x, None, noise[:1]), net.eval()(x, None, noise[:1]))


def test_the_generator_says_what_noise_it_needs() -> None:
    model = conditioned({**magnetic.UNET, "dropout": "noise", "norm": "instance"})
    x = magnetic.magnetic_state(batch=2)
    dt, noise = model.more_inputs(x, torch.full((2, 1), 4.0))
    assert list(model.noise_inputs) == ["dropout"]
    assert noise.shape == (2, model.noise_inputs["dropout"], 32, 32)
    assert model(x, dt, noise).shape == (2, 1, 32, 32)


@pytest.mark.parametrize("net", NETS)
def test_checkpointing_changes_memory_and_not_gradients(net: dict) -> None:
    plain = conditioned(net)
    frugal = conditioned({**net, "checkpointing": True})
    frugal.load_state_dict(plain.state_dict())
    disturb(plain)
    frugal.load_state_dict(plain.state_dict())
    x, dt = magnetic.magnetic_state(), torch.tensor([[3.0]])
    gradients = [
        torch.autograd.grad(model(x, dt).square().mean(), list(model.parameters()))
        for model in (plain, frugal)
    ]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=0)
