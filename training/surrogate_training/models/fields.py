"""From normalised fields to features, and from the net's channels to normalised increments.

A potential (a field named in a ``{curl: …}`` feature) never reaches the net itself: only the two components of
its curl do, so the model cannot depend on the gauge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from surrogate_training.config import Curl, Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.blocks import Boundaries, pad, pad_axis
from surrogate_training.models.residual_unet import ResidualUNet
from surrogate_training.models.unet import UNet


def curl(a: Tensor, spacing: tuple[float, float], boundary: Boundaries) -> Tensor:
    """Face-centred curl of a corner-staggered potential.

    Bx(i-1/2, j) = (A[j+1, i] - A[j, i]) / dy and By(i, j-1/2) = -(A[j, i+1] - A[j, i]) / dx.

    Parameters
    ----------
    a : Tensor, shape (B, 1, ny, nx)
    spacing : (dy, dx)
    boundary : (y, x)

    Returns
    -------
    Tensor, shape (B, 2, ny, nx)
        Bx, By.
    """
    dy, dx = spacing
    above = pad_axis(a, -2, 0, 1, boundary[0]).narrow(-2, 1, a.shape[-2])
    right = pad_axis(a, -1, 0, 1, boundary[1]).narrow(-1, 1, a.shape[-1])
    return torch.cat([(above - a) / dy, (a - right) / dx], 1)  # (B, 2, ny, nx)


class Features(nn.Module):
    """Normalised state (B, C, ny, nx) → features (B, F, ny, nx), in the order of the recipe."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.boundary = recipe.model.boundary
        names = recipe.names
        self.plan: list[tuple[int, tuple[float, float] | None]] = []
        for feature in recipe.model.features or names:
            if isinstance(feature, Curl):
                s = statistics.fields[feature.curl]
                # curl of the normalised potential, times std_A / std_B: unit variance
                dy, dx = (h * s.gradient_std / s.std for h in statistics.spacing)
                self.plan.append((names.index(feature.curl), (dy, dx)))
            else:
                self.plan.append((names.index(feature), None))

    @property
    def channels(self) -> int:
        """Number of features."""
        return sum(1 if spacing is None else 2 for _, spacing in self.plan)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → (B, F, ny, nx)."""
        made = [
            x[:, c : c + 1] if spacing is None else curl(x[:, c : c + 1], spacing, self.boundary)
            for c, spacing in self.plan
        ]
        return torch.cat(made, 1)


class Increments(nn.Module):
    """Channels of the net → normalised increments; a potential is made from two channels.

    A potential's increment is smooth, and its curl amplifies error at the grid scale by about
    std(ΔA) / (dx std(ΔB)), 10 or more. So one channel passes a binomial low-pass filter, and a second,
    unfiltered one is scaled such that its unit is a unit of ΔB at the grid scale.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.boundary, self.radius = recipe.model.boundary, recipe.model.smoothing
        self.fields = len(recipe.names)
        self.fine: list[tuple[int, float]] = []
        for name in recipe.potentials:
            s = statistics.fields[name]
            gain = s.gradient_increment_std * min(statistics.spacing) / s.increment_std
            self.fine.append((recipe.names.index(name), gain))
        weights = [
            math.comb(2 * self.radius, k) / 4.0**self.radius for k in range(2 * self.radius + 1)
        ]
        kernel = torch.tensor(weights)
        self.register_buffer("kernel", kernel[:, None] * kernel[None, :], persistent=False)

    @property
    def channels(self) -> int:
        """Number of channels that the net must return."""
        return self.fields + len(self.fine)

    def forward(self, h: Tensor) -> Tensor:
        """(B, C + potentials, ny, nx) → (B, C, ny, nx)."""
        made = [h[:, c : c + 1] for c in range(self.fields)]
        for n, (channel, gain) in enumerate(self.fine):
            fine = h[:, self.fields + n : self.fields + n + 1]
            made[channel] = self._smooth(made[channel]) + gain * fine
        return torch.cat(made, 1)

    def _smooth(self, x: Tensor) -> Tensor:
        if self.radius == 0:
            return x
        kernel = self.get_buffer("kernel")[None, None]  # (1, 1, 2r + 1, 2r + 1)
        return torch.nn.functional.conv2d(pad(x, self.radius, self.boundary), kernel)


NETS: dict[str, Callable[[int, int, Any], nn.Module]] = {
    "residual_unet": ResidualUNet,
    "unet": UNet.from_config,
}
"""Nets by the recipe's ``model.kind``: each takes (channels, out_channels, config)."""


class FieldModel(nn.Module):
    """The program of a bundle: normalised state → normalised increments, both (B, C, ny, nx)."""

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.features = Features(recipe, statistics)
        self.increments = Increments(recipe, statistics)
        self.net = NETS[recipe.model.kind](
            self.features.channels, self.increments.channels, recipe.model
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ny, nx) → (B, C, ny, nx)."""
        h = self.net(self.features(x))
        if torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return self.increments(h.float())  # type: ignore[no-any-return]
        return self.increments(h)  # type: ignore[no-any-return]
