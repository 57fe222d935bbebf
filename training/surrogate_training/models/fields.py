"""The generator around its net: features of the normalised fields in front, the program's output behind.

A potential (a field named in a ``{curl: …}`` feature) never reaches the net itself: only the two components of
its curl do, so the model cannot depend on the gauge.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from surrogate_training.config import Curl, Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.models.autoencoder import Autoencoder
from surrogate_training.models.blocks import Boundaries, in_float32, pad_axis
from surrogate_training.models.dit import DiT
from surrogate_training.models.film import EMBEDDING
from surrogate_training.models.output import Output, Potentials
from surrogate_training.models.residual_unet import ResidualUNet
from surrogate_training.models.unet import UNet
from surrogate_training.models.units import Units
from surrogate_training.text.embedding import make_embedding


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

    def __init__(self, recipe: Recipe, statistics: Statistics, units: tuple[Units, ...]) -> None:
        super().__init__()
        self.boundary, self.units = recipe.model.boundary, units
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
            self.units[c].seen(x[:, c : c + 1])
            if spacing is None
            else curl(x[:, c : c + 1], spacing, self.boundary)
            for c, spacing in self.plan
        ]
        return torch.cat(made, 1)


NETS: dict[str, Callable[..., nn.Module]] = {
    "residual_unet": ResidualUNet,
    "unet": UNet.from_config,
    "dit": DiT,
    "autoencoder": Autoencoder,
}
"""Nets by the recipe's ``model.kind``: each takes (channels, out_channels, config, embedding)."""


class FieldModel(nn.Module):
    """The program of a bundle: normalised state (B, C, ny, nx) → normalised output (B, P, ny, nx).

    After the state come the scalar parameters, in physical units, and a caption's token ids as one tensor (B, Q), where
    the recipe has some, then a tensor of standard normals for each of ``noise_inputs``. Conditions are channels of the
    state; they have none in the output. See :mod:`surrogate_training.models.units` for what is normalised, and how.

    Parameters
    ----------
    recipe, statistics
        Of the training.
    more_channels : int
        Channels that the net reads besides the features.
    embedded : bool
        Whether the net is modulated even if there are no scalar parameters.

    Attributes
    ----------
    noise_inputs : dict of str to int
        Name → channels, in the order of the inputs.
    """

    def __init__(
        self,
        recipe: Recipe,
        statistics: Statistics,
        *,
        more_channels: int = 0,
        embedded: bool = False,
    ) -> None:
        super().__init__()
        units = tuple(Units.of(f, statistics.fields[f.name]) for f in recipe.data.fields)
        self.features = Features(recipe, statistics, units)
        self.potentials = Potentials(recipe, statistics)
        self.output = Output(recipe, units)
        self.embedding = make_embedding(recipe, statistics)
        reads, makes = self.net_channels(recipe)
        self.net = NETS[recipe.model.kind](
            reads + more_channels,
            makes,
            recipe.model,
            EMBEDDING if embedded or self.embedding is not None else 0,
        )
        self.noise_inputs: dict[str, int] = dict(getattr(self.net, "noise_inputs", {}))

    def net_channels(self, recipe: Recipe) -> tuple[int, int]:
        """Channels that the net reads of a state, and those that it makes."""
        return self.features.channels, self.potentials.channels

    def forward(self, x: Tensor, *more: Tensor) -> Tensor:
        """(B, C, ny, nx), and the other inputs, → y (B, P, ny, nx)."""
        return self.output(x, self._outputs(x, more))  # type: ignore[no-any-return]

    def scaled(self, x: Tensor, *more: Tensor) -> Tensor:
        """The frame at t2 in unit scaled values, (B, P, ny, nx); with ``tanh`` the net's own output."""
        return self.output.scaled(x, self._outputs(x, more))

    def standardised(self, x: Tensor, *more: Tensor) -> Tensor:
        """What the net makes of a state: z of :mod:`surrogate_training.models.units`, (B, P, ny, nx)."""
        return self._outputs(x, more)

    def more_inputs(self, x: Tensor, parameters: Tensor | None) -> tuple[Tensor, ...]:
        """What follows the state: parameters (B, Q) where the model has some, and noise drawn from torch's generator.

        Parameters
        ----------
        x : Tensor, shape (B, C, ny, nx)
            The state, for the noise's shape.
        parameters : Tensor, shape (B, Q), optional
            Scalar parameters and token ids, of a model that has some.
        """
        given = () if self.embedding is None else (parameters,)
        if None in given:
            raise ValueError(
                "this model is conditioned on scalar parameters or captions: give them"
            )
        noise = (
            torch.randn(len(x), n, *x.shape[2:], device=x.device)
            for n in self.noise_inputs.values()
        )
        return (*given, *noise)

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        """See :meth:`standardised`."""
        embedded, noise = None, more
        if self.embedding is not None:
            embedded, noise = self.embedding(more[0]), more[1:]
        h = self.net(self.features(x), embedded, *noise)  # (B, P + potentials, ny, nx)
        return in_float32(self.potentials, h)
