"""One field's units, and the way between them: physical u, the program's x and y, scaled s, and what the net sees.

========== ================================================= =====================================
values     are                                               used by
========== ================================================= =====================================
u          physical                                          callers, losses, scores
x          (u - mean) / std                                  the program's input
s          u, or asinh(u / softening)                        in between
unit       (s - centre) / reach, in [-1, 1] over training    pix2pix's L1 and discriminator
z          standardised s, its increments, or unit scaled    the net: input and output
y          (u2 - u1) / increment_std, or (u2 - mean) / std   the program's output
========== ================================================= =====================================

Numbers are Python's, not buffers: they are constants of a recipe and its statistics, no state of a checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from surrogate_training.config import FieldSpec
from surrogate_training.data.scaling import physical, scaled
from surrogate_training.data.statistics import FieldStatistics


@dataclass(frozen=True)
class Units:
    """Of one field. All methods take and return tensors of any shape.

    Attributes
    ----------
    limit : float
        The largest |s| in training.
    centre, reach : float
        What is 0, and how far ±1 is from it, in unit scaled values. A field that changes sign keeps its zero, so that
        its opposite has the opposite values: 0 and `limit`. Of one that does not, a density, the middle of its range
        in training and half of that: divided by `limit` alone, all its values would be next to 1.
    """

    field: FieldSpec
    mean: float
    std: float
    increment_std: float
    scaled_mean: float
    scaled_std: float
    scaled_increment_std: float
    limit: float
    centre: float
    reach: float

    @classmethod
    def of(cls, field: FieldSpec, statistics: FieldStatistics) -> Units:
        """Units of a recipe's field.

        Raises
        ------
        ValueError
            If the field is scaled by asinh and its statistics were measured without.
        """
        s = statistics
        numbers = (s.mean, s.std, s.increment_std)
        if field.scaling != "linear":
            if s.scaled_mean is None or s.scaled_std is None or s.scaled_increment_std is None:
                raise ValueError(
                    f"field {field.name!r}: scaling {field.scaling}, but the statistics hold none of its scaled "
                    "values: measure them again from the training set"
                )
            numbers = (s.scaled_mean, s.scaled_std, s.scaled_increment_std)
        ends = torch.tensor([s.minimum, s.maximum], dtype=torch.float64)
        low, high = scaled(ends, field).tolist()  # both scalings are odd and increase
        limit = max(abs(low), abs(high)) or 1.0
        one_sign = low * high > 0 and high > low
        centre, reach = ((low + high) / 2, (high - low) / 2) if one_sign else (0.0, limit)
        return cls(field, s.mean, s.std, s.increment_std, *numbers, limit, centre, reach)

    @property
    def linear(self) -> bool:
        """Whether s = u."""
        return self.field.scaling == "linear"

    def unit(self, u: Tensor) -> Tensor:
        """U → unit scaled values."""
        return self._of_scaled(scaled(u, self.field))

    def seen(self, x: Tensor) -> Tensor:
        """X → standardised s, what the net sees; x itself where the scaling is linear."""
        if self.linear:
            return x
        return (scaled(self.denormalised(x), self.field) - self.scaled_mean) / self.scaled_std

    def denormalised(self, x: Tensor) -> Tensor:
        """X → u."""
        return x * self.std + self.mean

    def answer(self, u1: Tensor, u2: Tensor, *, of_frame: bool) -> Tensor:
        """U at t1 and t2 → z, what the net must return: the standardised frame of s, or its increment."""
        if of_frame:
            return (scaled(u2, self.field) - self.scaled_mean) / self.scaled_std
        return (scaled(u2, self.field) - scaled(u1, self.field)) / self.scaled_increment_std

    def increment(self, x: Tensor, z: Tensor) -> Tensor:
        """X at t1 and the standardised increment z of s → y = (u2 - u1) / increment_std.

        sinh(s + d) - sinh(s) = 2 cosh(s + d/2) sinh(d/2): no cancellation, and z = 0 gives 0 exactly.
        """
        if self.linear:
            return z
        half = 0.5 * self._change(z)
        s = scaled(self.denormalised(x), self.field)
        factor = 2 * self.field.softening / self.increment_std
        return factor * (s + half).cosh() * half.sinh()

    def increment_unit(self, x: Tensor, z: Tensor) -> Tensor:
        """X at t1 and the standardised increment z of s → unit scaled values at t2."""
        s = scaled(self.denormalised(x), self.field)
        return self._of_scaled(s + self._change(z))

    def frame(self, z: Tensor) -> Tensor:
        """Standardised s at t2 → y = (u2 - mean) / std."""
        if self.linear:
            return z
        return (physical(self._bounded(z), self.field) - self.mean) / self.std

    def frame_unit(self, z: Tensor) -> Tensor:
        """Standardised s at t2 → unit scaled values."""
        return self._of_scaled(self._bounded(z))

    def frame_of_unit(self, unit: Tensor) -> Tensor:
        """Unit scaled values at t2 → y = (u2 - mean) / std."""
        s = self.centre + self.reach * unit
        return (physical(s, self.field) - self.mean) / self.std

    def step(self, *, of_frame: bool) -> float:
        """Standard deviation of s, or of its increments."""
        return self.scaled_std if of_frame else self.scaled_increment_std

    def steepness(self, u2: float, *, of_frame: bool) -> float:
        """Change of y at a value of the frame for a change of s by one :meth:`step`; 1 where the scaling is linear."""
        if self.linear:
            return 1.0
        slope = math.hypot(self.field.softening, u2)  # du/ds
        return self.step(of_frame=of_frame) * slope / (self.std if of_frame else self.increment_std)

    def _of_scaled(self, s: Tensor) -> Tensor:
        return (s - self.centre) / self.reach

    def _change(self, z: Tensor) -> Tensor:
        """Increment of s. Of an asinh no more than between the ends of what training has seen: sinh stays finite."""
        d = self.scaled_increment_std * z
        return d if self.linear else d.clamp(-2 * self.limit, 2 * self.limit)

    def _bounded(self, z: Tensor) -> Tensor:
        """S; of an asinh at most twice the largest that training has seen: sinh stays finite."""
        s = self.scaled_mean + self.scaled_std * z
        return s if self.linear else s.clamp(-2 * self.limit, 2 * self.limit)
