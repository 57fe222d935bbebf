"""From the net's channels to the program's output, and to unit scaled frames."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe, UNetConfig
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.blocks import pad
from surrogate_training.models.units import Units

_Convert = Callable[[Units, Tensor, Tensor], Tensor]


class Potentials(nn.Module):
    """Channels of the net → one a predicted field; a potential is made from two.

    A potential's increment is smooth, and its curl amplifies error at the grid scale by about
    std(ΔA) / (dx std(ΔB)), 10 or more. So one channel passes a binomial low-pass filter, and a second,
    unfiltered one is scaled such that its unit is a unit of ΔB at the grid scale. A frame is treated in the same way,
    with A and B in place of ΔA and ΔB.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__()
        self.boundary, self.radius = recipe.model.boundary, recipe.model.smoothing
        names = [field.name for field in recipe.predicted]
        self.fields = len(names)
        self.fine: list[tuple[int, float]] = []
        for name in recipe.potentials:
            if name not in names:
                continue
            s = statistics.fields[name]
            fine, coarse = s.gradient_increment_std, s.increment_std
            if recipe.model.target == "frame":
                fine, coarse = s.gradient_std, s.std
            self.fine.append((names.index(name), fine * min(statistics.spacing) / coarse))
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
        """(B, P + potentials, ny, nx) → (B, P, ny, nx)."""
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


class Output(nn.Module):
    """What z (B, P, ny, nx), a channel a predicted field, means: the program's y, or a unit scaled frame.

    A net whose last layer starts at zero predicts persistence at first where the target is the increment, and the
    mean of the scaled field over the training set where it is the frame.
    """

    def __init__(self, recipe: Recipe, units: tuple[Units, ...]) -> None:
        super().__init__()
        self.channels = recipe.predicted_channels
        self.units = [units[c] for c in self.channels]
        self.of_frame = recipe.model.target == "frame"
        self.of_unit = isinstance(recipe.model, UNetConfig) and recipe.model.tanh
        """Whether the net's own output is unit scaled."""
        self.affine = not self.of_unit and all(u.linear for u in self.units)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """The program's input (B, C, ny, nx) and z (B, P, ny, nx) → y (B, P, ny, nx)."""
        return z if self.affine else self._each(x, z, self._physical)

    def seen(self, x: Tensor) -> Tensor:
        """The program's input (B, C, ny, nx) → z (B, P, ny, nx) of the predicted fields at t1."""
        made = [u.seen(x[:, c : c + 1]) for c, u in zip(self.channels, self.units, strict=True)]
        return torch.cat(made, 1)

    def scaled(self, x: Tensor, z: Tensor) -> Tensor:
        """The program's input (B, C, ny, nx) and z (B, P, ny, nx) → unit scaled frame (B, P, ny, nx)."""
        return z if self.of_unit else self._each(x, z, self._unit)

    def _each(self, x: Tensor, z: Tensor, convert: _Convert) -> Tensor:
        made = [
            convert(u, x[:, c : c + 1], z[:, p : p + 1])
            for p, (c, u) in enumerate(zip(self.channels, self.units, strict=True))
        ]
        return torch.cat(made, 1)  # (B, P, ny, nx)

    def _physical(self, units: Units, x: Tensor, z: Tensor) -> Tensor:
        if self.of_unit:
            return units.frame_of_unit(z)
        return units.frame(z) if self.of_frame else units.increment(x, z)

    def _unit(self, units: Units, x: Tensor, z: Tensor) -> Tensor:
        return units.frame_unit(z) if self.of_frame else units.increment_unit(x, z)
