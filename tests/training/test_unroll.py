"""Push-forward training: a jump starts from what the one before predicted, and the gradient knows where to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import GENERATOR
from surrogate_training.methods.regression import Regression
from surrogate_training.metrics.relative import relative_errors

Make = Callable[..., Any]
NET = {"widths": [4], "encoder_blocks": [1], "decoder_blocks": []}


@pytest.fixture
def build(make_recipe: Make, random_model: Make, statistics: Statistics) -> Make:
    """A method whose generator has random weights, by the keys of its section."""

    def made(**section: Any) -> Regression:
        recipe = make_recipe(method=section, model=NET)
        method = Regression(recipe, statistics)
        method.networks[GENERATOR] = random_model(recipe, statistics).requires_grad_(True)
        return method

    return made


def frames(count: int, *, batch: int = 2) -> torch.Tensor:
    return torch.randn(count, batch, 5, 16, 16, generator=torch.Generator().manual_seed(3))


def gradients(method: Regression, batch: Batch, *, step: int = 0) -> tuple[torch.Tensor, ...]:
    total = method.loss(GENERATOR, method.prepare(batch, step=step), step=step).total
    return torch.autograd.grad(total, list(method.generator.parameters()))


def close(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.allclose(x, y, rtol=1e-4, atol=1e-7) for x, y in zip(a, b, strict=True))


def by_hand(method: Regression, u: torch.Tensor, *, push_forward: bool) -> torch.Tensor:
    """The loss of two jumps, composed without the code under test."""

    def jump(state: torch.Tensor) -> torch.Tensor:
        return method.scaling.frame(state, method.generator(method.scaling.normalise(state)))

    def loss(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        errors = relative_errors(predicted, truth, method.recipe, method.statistics)
        weights = {n: 0.25 if n == "az" else 1.0 for n in errors}
        return sum(weights[n] * e.mean() for n, e in errors.items()) / sum(weights.values())

    first = jump(u[0])
    if push_forward:
        return loss(jump(first.detach()), u[2])
    return (loss(first, u[1]) + loss(jump(first), u[2])) / 2


@pytest.mark.parametrize("push_forward", [True, False])
def test_the_gradient_is_that_of_two_jumps_composed_by_hand(
    build: Make, push_forward: bool
) -> None:
    method = build(unroll={"jumps": 2, "push_forward": push_forward})
    u = frames(3)
    expected = torch.autograd.grad(
        by_hand(method, u, push_forward=push_forward), list(method.generator.parameters())
    )
    assert close(gradients(method, Batch(u)), expected)
    assert not close(gradients(build(), Batch(u)), expected)  # of one jump it is another


def test_before_its_start_a_sample_is_one_jump_to_the_bit(build: Make) -> None:
    late, plain = build(unroll={"jumps": 2, "start": 10}), build()
    u = frames(3)
    before, one = gradients(late, Batch(u), step=9), gradients(plain, Batch(u[:2]))
    assert all(torch.equal(a, b) for a, b in zip(before, one, strict=True))
    assert not close(gradients(late, Batch(u), step=10), one)


def test_push_forward_keeps_its_gradient_under_autocast(build: Make) -> None:
    method = build(unroll={"jumps": 3})
    with torch.autocast("cpu", torch.bfloat16):
        found = gradients(method, Batch(frames(4)))
    assert all(torch.isfinite(g).all() and g.any() for g in found)


@pytest.mark.parametrize("loss", ["relative_l2", "mse", "mae"])
def test_missing_cells_of_a_target_are_not_learned(build: Make, loss: str) -> None:
    method = build(loss=loss, unroll={"jumps": 2, "push_forward": False})
    u, weight = frames(3), torch.ones(2, 1, 16, 16)
    weight[:, :, 2:5, 6:9] = 0
    filled = u.clone()
    filled[2, :, :, 2:5, 6:9] = 7.0  # nothing starts from the last frame
    assert close(
        gradients(method, Batch(u, weight=weight)), gradients(method, Batch(filled, weight=weight))
    )
    assert not close(gradients(method, Batch(u)), gradients(method, Batch(filled)))


def test_too_few_frames_are_refused(build: Make) -> None:
    with pytest.raises(ValueError, match="2 jumps need 3 frames a sample, the batch has 2"):
        build(unroll={"jumps": 2}).prepare(Batch(frames(2)), step=0)


def test_a_jump_starts_from_the_fields_predicted_and_the_conditions_given(
    make_recipe: Make, random_model: Make, statistics: Statistics
) -> None:
    fields = [{"name": "rho"}, {"name": "p", "condition": True}, {"name": "vx"}]
    recipe = make_recipe(
        data={"fields": fields, "augment": {}},
        model=NET | {"features": []},
        method={"unroll": {"jumps": 2}},
    )
    method = Regression(recipe, statistics)
    method.networks[GENERATOR] = random_model(recipe, statistics)
    seen: list[torch.Tensor] = []
    method.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    u, weight = frames(3)[:, :, :3], torch.ones(2, 1, 16, 16)
    weight[:, :, 4] = 0
    method.prepare(Batch(u, weight=weight), step=0)
    first, second = seen
    predicted = method.scaling.frame(u[0], method.generator(first))
    expected = u[1].clone()
    expected[:, [0, 2]] = predicted
    expected[:, :, 4] = u[1, :, :, 4]
    torch.testing.assert_close(second, method.scaling.normalise(expected))
