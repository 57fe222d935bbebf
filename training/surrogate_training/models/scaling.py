"""Between physical units and the program's, as libsurrogate does it from the manifest, and unit scaled values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surrogate_training.config import Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.units import Units


class Scaling(nn.Module):
    """x = (u - mean) / std; then u2 = u1 + increment_std * y, or u2 = mean + std * y, by the recipe's target.

    Constants are float32, as data and programs are, unless another ``dtype`` is asked for.
    """

    def __init__(
        self, recipe: Recipe, statistics: Statistics, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.channels = list(recipe.predicted_channels)
        self.of_frame = recipe.model.target == "frame"
        fields = [statistics.fields[name] for name in recipe.names]
        predicted = [statistics.fields[f.name] for f in recipe.predicted]
        self.units = [Units.of(f, s) for f, s in zip(recipe.data.fields, fields, strict=True)]

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=dtype)[None, :, None, None]

        self.register_buffer("mean", column([f.mean for f in fields]))  # (1, C, 1, 1)
        self.register_buffer("std", column([f.std for f in fields]))
        of_frame = self.of_frame
        scale = [f.std if of_frame else f.increment_std for f in predicted]
        self.register_buffer("scale", column(scale))  # (1, P, 1, 1)
        self.register_buffer("offset", column([f.mean if of_frame else 0.0 for f in predicted]))

    def normalise(self, u: Tensor) -> Tensor:
        """State in physical units → the program's input, (B, C, ny, nx)."""
        return (u - self.get_buffer("mean")) / self.get_buffer("std")

    def predicted(self, u: Tensor) -> Tensor:
        """The predicted fields of a state: (B, C, ny, nx) → (B, P, ny, nx)."""
        return u if len(self.channels) == u.shape[1] else u[:, self.channels]

    def frame(self, u1: Tensor, y: Tensor) -> Tensor:
        """State at t1 (B, C, ny, nx) and the program's output (B, P, ny, nx) → predicted fields at t2."""
        scaled = self.get_buffer("scale") * y
        return self.get_buffer("offset") + scaled if self.of_frame else self.predicted(u1) + scaled

    def state(self, u1: Tensor, frame: Tensor) -> Tensor:
        """State at t1 (B, C, ny, nx) and predicted fields (B, P, ny, nx) → state at t2, conditions as they were."""
        if len(self.channels) == u1.shape[1]:
            return frame
        parts = {c: u1[:, c : c + 1] for c in range(u1.shape[1])}
        parts |= {c: frame[:, p : p + 1] for p, c in enumerate(self.channels)}
        return torch.cat(list(parts.values()), 1)  # (B, C, ny, nx)

    def answer(self, u1: Tensor, u2: Tensor) -> Tensor:
        """States at t1 and t2 (B, C, ny, nx), physical → z (B, P, ny, nx), what a net is to return."""
        made = [
            self.units[c].answer(u1[:, c : c + 1], u2[:, c : c + 1], of_frame=self.of_frame)
            for c in self.channels
        ]
        return torch.cat(made, 1)

    def unit_scaled(self, frame: Tensor) -> Tensor:
        """Predicted fields (B, P, ny, nx), physical → unit scaled values, in [-1, 1] over training."""
        return self._unit(frame, [self.units[c] for c in self.channels])

    def conditions(self, u: Tensor) -> Tensor:
        """A whole state (B, C, ny, nx), physical → the same in unit scaled values."""
        return self._unit(u, self.units)

    @staticmethod
    def _unit(u: Tensor, units: list[Units]) -> Tensor:
        return torch.cat([s.unit(u[:, c : c + 1]) for c, s in enumerate(units)], 1)
