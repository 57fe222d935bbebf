"""pix2pix: two networks, one predicted frame, and what each of them is trained by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.pairs import open_sets
from surrogate_training.data.statistics import ParameterStatistics, Statistics
from surrogate_training.methods.adversarial import gradient_penalty
from surrogate_training.methods.method import GENERATOR, Method
from surrogate_training.methods.pix2pix import DISCRIMINATOR, Pix2Pix, Translation
from surrogate_training.methods.registry import make_method
from surrogate_training.metrics.relative import relative_errors
from surrogate_training.recipe import load_recipe
from torch import Tensor, nn

SMOKE = Path(__file__).resolve().parents[2] / "training" / "recipes" / "smoke_pix2pix.yaml"
Build = Callable[..., Pix2Pix]


def made(statistics: Statistics, *overrides: str) -> Pix2Pix:
    """The smoke recipe's method with overrides, e.g. ``"method.r1=2"``."""
    torch.manual_seed(0)
    method = make_method(load_recipe(SMOKE, overrides=overrides), statistics)
    assert isinstance(method, Pix2Pix)
    return method


@pytest.fixture
def build(statistics: Statistics) -> Build:
    """See made; on the synthetic data's statistics."""
    return partial(made, statistics)


@pytest.fixture(scope="module")
def batch(data_root: Path) -> Batch:
    """Two pairs of the synthetic training set."""
    pairs = open_sets(load_recipe(SMOKE).data, root=data_root)["train"]
    chosen = np.stack([pairs.pair(0), pairs.pair(5)], axis=1)
    return Batch(torch.from_numpy(chosen))  # (2, B, C, ny, nx)


def gradients(method: Method, network: str, context: Any, *, step: int = 0) -> tuple[Tensor, ...]:
    total = method.loss(network, context, step=step).total
    return torch.autograd.grad(total, list(method.networks[network].parameters()))


def same(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def optimisers(method: Method) -> dict[str, torch.optim.Optimizer]:
    config = method.recipe.optimiser
    return {
        name: torch.optim.Adam(net.parameters(), lr=method.learning_rate(name), betas=config.betas)
        for name, net in method.networks.items()
    }


def train(method: Method, batch: Batch, *, steps: int, seed: int = 0) -> None:
    """The trainer's loop, bare."""
    made = optimisers(method)
    for step in range(steps):
        torch.manual_seed(seed + step)
        context = method.prepare(batch, step=step)
        for name in method.phases(step):
            parameters = list(method.networks[name].parameters())
            for p, g in zip(parameters, gradients(method, name, context, step=step), strict=True):
                p.grad = g
            made[name].step()


def weights(net: nn.Module) -> tuple[Tensor, ...]:
    return tuple(v.clone() for v in net.state_dict().values())


def test_the_defaults_are_the_papers(statistics: Statistics) -> None:
    recipe: Recipe = load_recipe(SMOKE)
    method = recipe.model_copy(update={"method": type(recipe.method)()}).method
    assert (method.gan, method.lambda_l1, method.l1_warmup, method.r1) == ("vanilla", 100, 0, 0)
    critic = method.discriminator
    assert (critic.layers, critic.base, critic.norm, critic.spectral_norm) == (
        3,
        64,
        "batch",
        False,
    )


def test_it_learns_two_pairs_far_beyond_persistence(build: Build, batch: Batch) -> None:
    method = build("model.norm=instance", "optimiser.learning_rate=4.0e-3")
    train(method, batch, steps=60)
    method.eval()
    with torch.no_grad():
        u1, u2 = batch.u1, batch.u2
        predicted = method.scaling.frame(u1, method.generator(method.scaling.normalise(u1)))
    error, still = (
        torch.stack(list(relative_errors(f, u2, method.recipe, method.statistics).values())).mean()
        for f in (predicted, u1)
    )
    assert error < 0.5 * still


def test_the_discriminator_comes_first_and_the_losses_have_names(
    build: Build, batch: Batch
) -> None:
    method = build("method.r1=2")
    assert method.phases(0) == (DISCRIMINATOR, GENERATOR)
    context = method.prepare(batch, step=0)
    assert set(method.loss(DISCRIMINATOR, context, step=0).parts) == {
        "d_real", "d_fake", "d_right", "r1",
    }  # fmt: skip
    assert set(method.loss(GENERATOR, context, step=0).parts) == {"g_l1", "g_gan"}


def test_the_losses_are_weighted_as_published(build: Build, batch: Batch) -> None:
    method = build("method.r1=2", "method.lambda_l1=7")
    context = method.prepare(batch, step=0)
    of_d, of_g = (method.loss(n, context, step=0) for n in (DISCRIMINATOR, GENERATOR))
    d, g = of_d.parts, of_g.parts
    torch.testing.assert_close(of_d.total, (d["d_real"] + d["d_fake"]) / 2 + d["r1"])
    torch.testing.assert_close(of_g.total, g["g_gan"] + 7 * g["g_l1"])
    torch.testing.assert_close(g["g_l1"], (context.fake - context.real).abs().mean())
    critic = method.networks[DISCRIMINATOR]
    torch.testing.assert_close(
        d["r1"], gradient_penalty(critic, *method._seen(context, context.real))
    )


def test_the_discriminator_s_loss_sends_no_gradient_into_the_generator(
    build: Build, batch: Batch
) -> None:
    method = build("method.r1=1")
    total = method.loss(DISCRIMINATOR, method.prepare(batch, step=0), step=0).total
    generator = list(method.generator.parameters())
    assert all(g is None for g in torch.autograd.grad(total, generator, allow_unused=True))


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_a_shared_forward_pass_gives_what_one_a_phase_gives(
    build: Build, batch: Batch, precision: torch.dtype | None
) -> None:
    method = build("method.r1=1")
    with torch.autocast("cpu", precision, enabled=precision is not None):
        context = method.prepare(batch, step=0)
        found = [gradients(method, name, context) for name in method.phases(0)]
        own = [gradients(method, n, method.prepare(batch, step=0)) for n in method.phases(0)]
    assert all(same(a, b) for a, b in zip(found, own, strict=True))
    assert all(torch.isfinite(g).all() for gs in found for g in gs)


def test_l1_warm_up_leaves_the_discriminator_as_it_was(build: Build, batch: Batch) -> None:
    method = build("method.l1_warmup=2", "method.discriminator.spectral_norm=true")
    before = weights(method.networks[DISCRIMINATOR])
    train(method, batch, steps=2)
    assert same(weights(method.networks[DISCRIMINATOR]), before)
    assert "g_gan" not in method.loss(GENERATOR, method.prepare(batch, step=1), step=1).parts
    assert method.phases(1) == (GENERATOR,)
    train(method, batch, steps=3)
    assert not same(weights(method.networks[DISCRIMINATOR]), before)


def test_missing_cells_neither_weigh_nor_tell_frames_apart(build: Build, batch: Batch) -> None:
    method = build()
    weight = torch.ones(2, 1, 32, 32)
    weight[:, :, 10:20, 5:9] = 0
    context = method.prepare(replace(batch, weight=weight), step=0)
    assert torch.equal(context.fake[:, :, 10:20, 5:9], context.real[:, :, 10:20, 5:9])
    full = method.prepare(batch, step=0)
    error = (full.fake - full.real).abs() * weight
    expected = error.sum() / (weight.sum() * error.shape[1])
    found = method.loss(GENERATOR, context, step=0).parts["g_l1"]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("gan", "share"), [("vanilla", 6 / 8), ("lsgan", 5 / 8)])
def test_the_share_of_patches_called_right_is_of_both_kinds(
    build: Build, batch: Batch, gan: str, share: float
) -> None:
    class Said(nn.Module):
        """Of real frames, then of predicted ones."""

        logits = iter([[0.3, 0.3, 0.7, -1.0], [0.3, -1.0, -1.0, -1.0]])

        def forward(self, condition: Tensor, frame: Tensor) -> Tensor:
            return torch.tensor(next(self.logits)).reshape(1, 1, 2, 2)

    method = build(f"method.gan={gan}")
    method.networks[DISCRIMINATOR] = Said()
    parts = method.loss(DISCRIMINATOR, method.prepare(batch, step=0), step=0).parts
    assert float(parts["d_right"]) == share


@pytest.mark.parametrize("gan", ["vanilla", "lsgan", "hinge"])
def test_a_trained_discriminator_tells_rough_frames_from_smooth_ones(
    build: Build, batch: Batch, gan: str
) -> None:
    method = build(f"method.gan={gan}")
    context = method.prepare(batch, step=0)
    torch.manual_seed(0)
    context = replace(context, fake=context.real + 0.3 * torch.randn_like(context.real))
    made = optimisers(method)[DISCRIMINATOR]
    parameters = list(method.networks[DISCRIMINATOR].parameters())
    for _ in range(40):
        for p, g in zip(parameters, gradients(method, DISCRIMINATOR, context), strict=True):
            p.grad = g
        made.step()
    assert float(method.loss(DISCRIMINATOR, context, step=0).parts["d_right"]) > 0.95


def test_the_discriminator_sees_the_condition(build: Build, batch: Batch) -> None:
    method = build()
    context = method.prepare(batch, step=0)
    other: Translation = replace(context, condition=context.condition.flip(0))
    a, b = (method.loss(DISCRIMINATOR, c, step=0).total for c in (context, other))
    assert not torch.equal(a, b)


def test_conditions_parameters_and_dropout_s_noise_reach_both_networks(
    statistics: Statistics,
) -> None:
    method = made(
        replace(statistics, parameters={"dt": ParameterStatistics(4.0, 1.0, 3.0, 6.0, 4.0)}),
        "data.fields=[{name: rho}, {name: p, condition: true}, {name: vx, scaling: asinh}]",
        "data.parameters=[{name: dt, unit: h}]",
        "data.augment={}",
        "model.dropout=noise",
    )
    frames = torch.randn(2, 2, 3, 32, 32)
    batch = Batch(frames, parameters=torch.tensor([[3.0], [5.0]]))
    context = method.prepare(batch, step=0)
    assert context.condition.shape == (2, 4, 32, 32)  # three fields and dt
    assert context.fake.shape == context.real.shape == (2, 2, 32, 32)  # rho and vx
    assert context.condition[:, 3].unique().tolist() == [-1, 1]  # standardised
    for name in method.phases(0):
        assert all(torch.isfinite(g).all() for g in gradients(method, name, context))
    later = replace(batch, parameters=torch.tensor([[4.0], [6.0]]))
    other = replace(context, condition=method.prepare(later, step=0).condition)
    of_d = [method.loss(DISCRIMINATOR, c, step=0).total for c in (context, other)]
    assert not torch.equal(*of_d)


def test_what_is_judged_is_what_is_predicted_in_unit_scaled_values(
    build: Build, batch: Batch
) -> None:
    method = build().eval()
    context = method.prepare(batch, step=0)
    predicted = method.scaling.frame(batch.u1, method.generator(*method.inputs(batch, batch.u1)))
    torch.testing.assert_close(context.fake, method.scaling.unit_scaled(predicted))
    torch.testing.assert_close(context.condition, method.scaling.conditions(batch.u1))
    assert float(context.real.abs().max()) <= 1


def test_the_discriminator_sees_deviations_of_one_however_rare_strong_values_are(
    build: Build, batch: Batch, statistics: Statistics
) -> None:
    method = build()
    seen: list[Tensor] = []
    hook = method.networks[DISCRIMINATOR].register_forward_pre_hook(
        lambda _, given: seen.extend(given)
    )
    method.loss(DISCRIMINATOR, method.prepare(batch, step=0), step=0)
    hook.remove()
    condition, real = seen[:2]  # (B, C, ny, nx) each
    names = method.recipe.names
    for c, name in enumerate(names):
        field = statistics.fields[name]
        expected = batch.u1[:, c].std() / field.std
        torch.testing.assert_close(condition[:, c].std(), expected, rtol=1e-4, atol=0)
        torch.testing.assert_close(
            real[:, c].std(), batch.u2[:, c].std() / field.std, rtol=1e-4, atol=0
        )


def test_each_network_has_its_own_rate(build: Build) -> None:
    method = build("method.discriminator_learning_rate=1.0e-5", "optimiser.learning_rate=3.0e-4")
    assert method.learning_rate(GENERATOR) == 3e-4
    assert method.learning_rate(DISCRIMINATOR) == 1e-5
    assert build("optimiser.learning_rate=3.0e-4").learning_rate(DISCRIMINATOR) == 3e-4


def test_a_step_is_a_function_of_its_seed(build: Build, batch: Batch) -> None:
    made = []
    for seed in (3, 3, 4):
        method = build("model.dropout=training", "method.discriminator.spectral_norm=true")
        train(method, batch, steps=2, seed=seed)
        made.append(weights(method))
    assert same(made[0], made[1])
    assert not same(made[0], made[2])


def test_frames_too_small_for_the_discriminator_are_refused(build: Build) -> None:
    with pytest.raises(
        ValueError, match=r"32, 32.*4 layers needs at least 48.*discriminator\.layers"
    ):
        build("method.discriminator.layers=4")
