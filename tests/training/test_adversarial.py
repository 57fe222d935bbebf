"""Adversarial objectives against numbers worked out by hand and against the theory of their optima."""

from __future__ import annotations

import math

import pytest
import torch
from surrogate_training.methods.adversarial import OBJECTIVES, gradient_penalty
from torch import Tensor, nn

P = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)  # real frames, of three kinds
Q = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)  # predicted ones

BEST = {"vanilla": torch.log(P / Q), "lsgan": P / (P + Q), "hinge": torch.sign(P - Q)}


def expected_loss(kind: str, z: Tensor) -> Tensor:
    objective = OBJECTIVES[kind]
    return (P * objective.real(z) + Q * objective.fake(z)).sum()


@pytest.mark.parametrize(
    ("kind", "real", "fake", "fool"),
    [
        # at z = 2: log(1 + e^-2), log(1 + e^2), log(1 + e^-2)
        ("vanilla", 0.12692801, 2.12692801, 0.12692801),
        ("lsgan", 1.0, 4.0, 1.0),  # (2 - 1)², 2², (2 - 1)²
        ("hinge", 0.0, 3.0, -2.0),  # max(0, 1 - 2), max(0, 1 + 2), -2
    ],
)
def test_the_losses_are_those_worked_out_by_hand(
    kind: str, real: float, fake: float, fool: float
) -> None:
    z, objective = torch.tensor(2.0), OBJECTIVES[kind]
    found = [float(f(z)) for f in (objective.real, objective.fake, objective.fool)]
    assert found == pytest.approx([real, fake, fool], abs=1e-6)


def test_vanilla_is_cross_entropy_with_labels_one_and_zero() -> None:
    z, cross_entropy = torch.linspace(-9, 9, 7), nn.functional.binary_cross_entropy_with_logits
    vanilla = OBJECTIVES["vanilla"]
    torch.testing.assert_close(vanilla.real(z).mean(), cross_entropy(z, torch.ones(7)))
    torch.testing.assert_close(vanilla.fake(z).mean(), cross_entropy(z, torch.zeros(7)))


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_best_discriminator_is_the_one_that_theory_names(kind: str) -> None:
    best = BEST[kind]
    lowest = expected_loss(kind, best)
    generator = torch.Generator().manual_seed(0)
    for size in (0.01, 0.1, 1.0):
        others = [best + size * torch.randn(3, generator=generator) for _ in range(20)]
        assert all(expected_loss(kind, other) >= lowest for other in others)
    called_real = best > OBJECTIVES[kind].threshold
    assert called_real.tolist() == (P > Q).tolist()


def test_at_its_optimum_the_vanilla_loss_is_a_jensen_shannon_divergence() -> None:
    middle = (P + Q) / 2
    divergence = ((P * torch.log(P / middle)).sum() + (Q * torch.log(Q / middle)).sum()) / 2
    found = expected_loss("vanilla", BEST["vanilla"])
    assert float(found) == pytest.approx(float(2 * math.log(2) - 2 * divergence))


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_generator_is_driven_towards_what_is_called_real(kind: str) -> None:
    z = torch.tensor([-8.0, -1.0, 0.0, 0.4], requires_grad=True)
    (slope,) = torch.autograd.grad(OBJECTIVES[kind].fool(z).sum(), z)
    assert (slope < 0).all()
    assert slope[0] <= -0.999  # also where the discriminator is sure: the loss does not saturate


def test_the_generator_rests_where_it_is_called_real_surely() -> None:
    slopes = {}
    for kind, z in (("vanilla", 20.0), ("lsgan", 1.0)):
        logit = torch.tensor(z, requires_grad=True)
        (slopes[kind],) = torch.autograd.grad(OBJECTIVES[kind].fool(logit), logit)
    assert all(abs(float(slope)) < 1e-8 for slope in slopes.values())


class Linear(nn.Module):
    """One logit, w·frame; the condition has no say."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, cells, cells))

    def forward(self, condition: Tensor, frame: Tensor) -> Tensor:
        return (self.weight * frame).sum((1, 2, 3))[:, None, None, None]  # (B, 1, 1, 1)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_penalty_of_a_linear_discriminator_is_its_weight_squared(
    precision: torch.dtype,
) -> None:
    torch.manual_seed(0)
    critic, frame = Linear(4), torch.randn(3, 1, 4, 4)
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        penalty = gradient_penalty(critic, frame, frame)
    torch.testing.assert_close(penalty, critic.weight.square().sum())
    (gradient,) = torch.autograd.grad(penalty, critic.weight)
    torch.testing.assert_close(gradient, 2 * critic.weight)


@pytest.mark.parametrize("cells", [4, 8])
def test_the_penalty_does_not_depend_on_the_number_of_patches(cells: int) -> None:
    conv = nn.Conv2d(1, 1, 2, stride=2)
    nn.init.constant_(conv.weight, 0.5)
    frame = torch.randn(2, 1, cells, cells)
    penalty = gradient_penalty(_Patches(conv), frame, frame)
    assert float(penalty.detach()) == pytest.approx(4 * 0.5**2)


class _Patches(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, condition: Tensor, frame: Tensor) -> Tensor:
        found: Tensor = self.conv(frame)
        return found
