"""What pix2pix is for: detail that the state at t1 does not determine is drawn, not averaged away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.registry import make_method
from surrogate_training.recipe import load_recipe
from torch import Tensor

SMOKE = Path(__file__).resolve().parents[2] / "training" / "recipes" / "smoke_pix2pix.yaml"
FINE = 8  # wavenumbers above are the hidden texture's alone
OVERRIDES = ("data.fields=[{name: rho}]", "data.augment={}", "model.target=frame")


def frames(rng: np.random.Generator, count: int) -> Tensor:
    """Smooth fields that stay, with white texture of 1/2 their size that is drawn afresh; (2, B, 1, 32, 32)."""
    k = np.fft.fftfreq(32, 1 / 32)
    low_pass = np.exp(-(k[:, None] ** 2 + k**2) / 18)
    white = rng.standard_normal((count, 32, 32))
    smooth = np.fft.ifft2(np.fft.fft2(white) * low_pass).real
    made = smooth / smooth.std() + 0.5 * rng.standard_normal((2, count, 32, 32))
    return torch.from_numpy(made[:, :, None].astype(np.float32))


def fine_power(u: Tensor) -> float:
    """Mean power above wavenumber FINE, of (B, 1, 32, 32)."""
    k = torch.fft.fftfreq(32, 1 / 32)
    power = torch.fft.fft2(u[:, 0]).abs().square().mean(0)  # (ny, nx)
    return float(power[torch.hypot(k[:, None], k) > FINE].mean())


def trained(statistics: Statistics, *overrides: str) -> tuple[float, float]:
    """RMSE, and the fine power over the truth's, of frames that a trained net has not seen."""
    torch.manual_seed(0)
    method = make_method(load_recipe(SMOKE, overrides=OVERRIDES + overrides), statistics)
    rate, betas = method.recipe.optimiser.learning_rate, method.recipe.optimiser.betas
    optimisers = {
        name: torch.optim.Adam(net.parameters(), lr=rate, betas=betas)
        for name, net in method.networks.items()
    }
    rng = np.random.default_rng(1)
    for step in range(200):
        context = method.prepare(Batch(frames(rng, 4)), step=step)
        for name in method.phases(step):
            parameters = list(method.networks[name].parameters())
            total = method.loss(name, context, step=step).total
            found = torch.autograd.grad(total, parameters)
            for parameter, gradient in zip(parameters, found, strict=True):
                parameter.grad = gradient
            optimisers[name].step()
    u1, u2 = frames(rng, 64)
    method.eval()
    with torch.no_grad():
        u = method.scaling.frame(u1, method.generator(method.scaling.normalise(u1)))
    return float((u - u2).square().mean().sqrt()), fine_power(u) / fine_power(u2)


@pytest.mark.full
def test_it_has_a_truer_spectrum_and_a_larger_rmse_than_its_l1_part_alone(
    statistics: Statistics,
) -> None:
    units = {"mean": 0.0, "std": 1.1, "increment_std": 0.7, "minimum": -4.0, "maximum": 4.0}
    rho = replace(statistics.fields["rho"], **units)
    of_texture = replace(statistics, fields={"rho": rho})
    l1_rmse, l1_power = trained(of_texture, "method.l1_warmup=1000")
    rmse, power = trained(of_texture, "method.lambda_l1=10.0")
    assert l1_rmse < 0.57  # the texture at t2 has 0.5 and cannot be known
    assert l1_power < 0.1
    assert 0.3 < power < 1.5
    assert rmse > l1_rmse
