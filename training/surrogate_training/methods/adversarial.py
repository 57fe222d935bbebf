"""Objectives of adversarial training, per logit, and the gradient penalty R1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PerLogit = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """What discriminator and generator minimise, each the mean over logits z of a function of z.

    Attributes
    ----------
    real, fake : callable
        The discriminator's loss of the logits of real and of predicted frames.
    fool : callable
        The generator's loss of the logits of predicted frames.
    threshold : float
        Logits above it call a patch real.
    """

    real: PerLogit
    fake: PerLogit
    fool: PerLogit
    threshold: float = 0.0


OBJECTIVES: dict[str, Objective] = {
    # cross entropy of the logits, softplus(z) = log(1 + e^z); the generator's is the non-saturating one: -log D
    # (Goodfellow et al. 2014, arXiv:1406.2661, section 3). The best z is log(p_real / p_fake)
    "vanilla": Objective(
        real=lambda z: functional.softplus(-z),
        fake=functional.softplus,
        fool=lambda z: functional.softplus(-z),
    ),
    # labels 1 and 0 (Mao et al. 2017, arXiv:1611.04076, eq. 9 without its halves). The best z is the share
    # p_real / (p_real + p_fake)
    "lsgan": Objective(
        real=lambda z: (z - 1).square(),
        fake=torch.square,
        fool=lambda z: (z - 1).square(),
        threshold=0.5,
    ),
    # Lim & Ye 2017, arXiv:1705.02894, eqs. 4 and 5. The best z is the sign of p_real - p_fake
    "hinge": Objective(
        real=lambda z: functional.relu(1 - z),
        fake=lambda z: functional.relu(1 + z),
        fool=torch.neg,
    ),
}
"""By the recipe's ``method.gan``."""


def gradient_penalty(discriminator: torch.nn.Module, condition: Tensor, frame: Tensor) -> Tensor:
    """E |∇D|² over real frames, R1's without its factor γ/2 (Mescheder et al. 2018, arXiv:1801.04406, eq. 9).

    A patch counts as a sample: the square of the gradient of the sum of n logits is divided by n, which for patches
    that do not overlap is their mean, and for a discriminator with one logit the published penalty. So γ means the
    same on any grid. Always in float32: in bfloat16 a gradient of a gradient is mostly rounding.

    Parameters
    ----------
    discriminator : Module
        (condition, frame) → logits, (B, 1, n_y, n_x).
    condition : Tensor, shape (B, C, ny, nx)
        The gradient is not taken by it.
    frame : Tensor, shape (B, P, ny, nx)
        Real frames.

    Returns
    -------
    Tensor, shape ()
        With a graph by the discriminator's parameters.
    """
    frame = frame.detach().float().requires_grad_(True)
    with torch.autocast(frame.device.type, enabled=False), torch.enable_grad():
        logits = discriminator(condition.detach().float(), frame)
        (gradient,) = torch.autograd.grad(logits.sum(), frame, create_graph=True)
    penalty: Tensor = gradient.square().sum() / logits.numel()  # B samples of n patches each
    return penalty
