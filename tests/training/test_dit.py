"""The diffusion transformer: starts at zero, knows no size, and commutes with what its positions promise."""

from __future__ import annotations

import pytest
import torch
from magnetic import DT, magnetic_recipe, magnetic_statistics
from surrogate_training.config import DiTConfig
from surrogate_training.grid import GridRule
from surrogate_training.models.attention import TransformerBlock
from surrogate_training.models.dit import DiT
from surrogate_training.models.fields import NETS, FieldModel
from surrogate_training.models.positions import Rotary, Walls, turn
from surrogate_training.programs import (
    load_portable,
    load_torchscript,
    save_portable,
    save_torchscript,
)
from surrogate_training.recipe import RecipeError

TINY = {"patch": 2, "width": 16, "depth": 2, "heads": 2}


def random_net(embedding: int = 0, boundary: str = "periodic", **keys) -> DiT:
    """Every weight random, those that start at zero too; double precision."""
    torch.manual_seed(0)
    config = DiTConfig(**{**TINY, "boundary": (boundary, boundary), **keys})
    net = DiT(2, 3, config, embedding).double().eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.5 / max(1, parameter[0].numel()) ** 0.5)
    return net.requires_grad_(False)


def field(ny: int = 12, nx: int = 16, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 2, ny, nx, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("embedding", [0, 5])
def test_a_block_starts_as_the_identity_with_and_without_a_condition(embedding):
    torch.manual_seed(0)
    block = TransformerBlock(16, 2, 4, embedding)
    tokens = torch.randn(2, 6, 16)
    embedded = torch.randn(2, embedding) if embedding else None
    angles = torch.randn(6, 4)
    assert torch.equal(block(tokens, embedded, angles.cos(), angles.sin()), tokens)


def test_the_initial_output_is_exactly_zero():
    net = NETS["dit"](2, 3, DiTConfig(**TINY))
    y = net(field().float())
    assert torch.equal(y, torch.zeros(2, 3, 12, 16))


def test_every_weight_learns_once_the_last_layer_and_the_gates_have_moved():
    net = random_net(embedding=4).requires_grad_(True)
    net(field(), torch.randn(2, 4, dtype=torch.float64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


@pytest.mark.parametrize("embedding", [0, 4])
def test_translations_by_whole_patches_commute_with_a_periodic_net(embedding):
    net, x = random_net(embedding), field()
    e = torch.randn(2, embedding, dtype=torch.float64) if embedding else None
    moved = net(x.roll((2, -6), (2, 3)), e)
    torch.testing.assert_close(moved, net(x, e).roll((2, -6), (2, 3)), rtol=0, atol=1e-12)
    assert not torch.allclose(net(x.roll(1, 2), e), net(x, e).roll(1, 2))  # by half a patch


def test_a_net_between_walls_knows_where_they_are():
    net, x = random_net(boundary="replicate"), field()
    assert not torch.allclose(net(x.roll(2, 2)), net(x).roll(2, 2), atol=1e-3)


def test_the_condition_changes_the_output():
    net, x = random_net(embedding=4), field()
    one, other = torch.randn(2, 2, 4, dtype=torch.float64).unbind(0)
    assert not torch.allclose(net(x, one), net(x, other), atol=1e-3)


def test_samples_of_a_batch_do_not_see_each_other():
    net, x = random_net(embedding=4), field(batch=3)
    e = torch.randn(3, 4, dtype=torch.float64)
    torch.testing.assert_close(net(x, e)[1:2], net(x[1:2], e[1:2]), rtol=0, atol=1e-12)


def test_a_periodic_frame_repeated_gives_the_output_repeated():
    """The same weights on another size: twice the domain holds the same physics at the same distances."""
    net = random_net()
    # waves that fit both domains; else they are rounded differently
    net.rotary.frequencies.fill_(2 * torch.pi / 8)
    x = field(16, 16)
    wide = net(x.repeat(1, 1, 1, 2))
    torch.testing.assert_close(wide, net(x).repeat(1, 1, 1, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("boundary", "distances"), [("periodic", [3, 9, -9]), ("zero", [3])])
def test_rotary_products_depend_on_distances_alone(boundary, distances):
    rotary = Rotary(8, (boundary, boundary)).double()
    cosines, sines = rotary(torch.zeros(1, 1, 1, 12, dtype=torch.float64))  # (12, 4)
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64).expand(2, 1, 1, 12, 8)
    products = turn(query, cosines, sines) @ turn(key, cosines, sines).transpose(-1, -2)
    products = products[0, 0]  # (12, 12)
    for distance in distances:
        # periodic: 9 forth is 3 back
        values = torch.stack([products[(i + distance) % 12, i] for i in range(12)])
        if boundary == "zero":
            values = values[: 12 - distance]
        torch.testing.assert_close(values, values[:1].expand_as(values))
    wrapped = torch.isclose(products[0, 9], products[3, 0])
    assert bool(wrapped) == (boundary == "periodic")


def test_walls_are_felt_near_them_only_and_from_both_sides():
    walls = Walls(("replicate", "periodic"))
    felt = walls(torch.zeros(1, 1, 200, 2))[0, :-1, :, 0]  # (6, 200)
    assert walls.channels == 6
    assert torch.equal(felt[:3], felt[3:].flip(1))
    assert felt[:, 100].max() < 1e-4
    assert felt[0, 0] == 1


def test_bfloat16_autocast_stays_near_float32():
    net = random_net(embedding=4).float()
    x, e = field(16, 16).float(), torch.randn(2, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = net(x, e)
    assert rounded.dtype == torch.float32
    exact = net(x, e)
    assert float((rounded - exact).std() / exact.std()) < 0.02


def test_recomputed_activations_give_the_same_gradients():
    nets = [random_net(checkpointing=c).train().requires_grad_(True) for c in (False, True)]
    gradients = [torch.autograd.grad(net(field()).square().sum(), net.parameters()) for net in nets]
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, plain)


def test_a_preset_gives_keys_that_a_recipe_may_change():
    model = magnetic_recipe({"kind": "dit", "preset": "tiny", "heads": 4}).model
    assert (model.width, model.depth, model.heads, model.multiple) == (64, 4, 4, 4)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(RecipeError, match="multiple of 4 heads = 24"):
        magnetic_recipe({"kind": "dit", "width": 32, "heads": 6})


def test_programs_made_on_one_grid_are_the_net_on_others(tmp_path):
    recipe = magnetic_recipe({"kind": "dit", **TINY, "depth": 1}, parameters=(DT,))
    torch.manual_seed(0)
    model = FieldModel(recipe, magnetic_statistics(recipe)).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    inputs = (torch.randn(1, 3, 16, 16), torch.tensor([[4.0]]))
    portable, script = tmp_path / "portable.pt2", tmp_path / "torchscript.pt"
    save_portable(model, inputs, portable, rule=GridRule.of(recipe, (16, 16)))
    save_torchscript(model, inputs, script)
    programs = (load_portable(portable), load_torchscript(script))
    for shape in ((1, 3, 16, 16), (3, 3, 8, 20)):
        x, dt = torch.randn(shape), torch.full((shape[0], 1), 3.0)
        for program in programs:
            torch.testing.assert_close(program(x, dt), model(x, dt), rtol=0, atol=1e-5)
