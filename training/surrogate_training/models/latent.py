"""Latent diffusion and flow (Rombach et al. 2022, arXiv:2112.10752): the process draws latents of an autoencoder."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from surrogate_training.config import Latents, Recipe
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import Process
from surrogate_training.models.autoencoder import Autoencoder
from surrogate_training.models.generative import Condition, GenerativeModel


class LatentModel(GenerativeModel):
    """Draws the standardised latents of the frame at t2, and decodes them: the net works on a coarser grid.

    The frame is drawn given the latents of the frame at t1, and all its features with the cells of a latent cell as
    channels: an encoder loses what a condition may need. A noise input is of the full grid, as of every model; its
    f × f cells of a latent cell are the normals of that cell's channels, as many as those need.

    Attributes
    ----------
    autoencoder : Autoencoder
        Frozen.
    mean, std : Tensor, shape (c, 1, 1)
        Of the latents over training.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics, process: Process) -> None:
        super().__init__(recipe, statistics, process)
        fields, shape = len(recipe.predicted), _shape(recipe)
        self.factor, self.normals_a_draw = shape.factor, self.normals(recipe)
        self.autoencoder = Autoencoder(fields, fields, recipe.model).requires_grad_(False)
        for name, value in (("mean", 0.0), ("std", 1.0)):
            self.register_buffer(name, torch.full((shape.channels, 1, 1), value))

    @staticmethod
    def drawn_names(recipe: Recipe) -> tuple[str, ...]:
        """See :class:`GenerativeModel`: the latents' channels."""
        return tuple(f"latent_{n}" for n in range(_shape(recipe).channels))

    @staticmethod
    def normals(recipe: Recipe) -> int:
        """See :class:`GenerativeModel`: f × f normals a channel."""
        shape = _shape(recipe)
        return -(-shape.channels // shape.factor**2)

    def net_channels(self, recipe: Recipe) -> tuple[int, int]:
        """Latents at t1 and the features of a latent cell's cells; latents."""
        shape = _shape(recipe)
        return self.features.channels * shape.factor**2 + shape.channels, shape.channels

    def condition(
        self, x: Tensor, more: tuple[Tensor, ...]
    ) -> tuple[Condition, tuple[Tensor, ...]]:
        """See :class:`GenerativeModel`; features (B, F, ny / f, nx / f)."""
        given, noise = super().condition(x, more)
        cells = functional.pixel_unshuffle(given.features, self.factor)
        seen = torch.cat([self.drawn(self.output.seen(x)), cells], 1)
        return replace(given, features=seen), tuple(map(self._of_latent_cells, noise))

    @torch.no_grad()
    def drawn(self, z: Tensor) -> Tensor:
        """Standardised frames (B, P, ny, nx) → standardised latents (B, c, ny / f, nx / f), in float32."""
        with torch.autocast(z.device.type, enabled=False):
            latents, _ = self.autoencoder.encode(z.float())
            return (latents - self.get_buffer("mean")) / self.get_buffer("std")

    def to_frame(self, latents: Tensor) -> Tensor:
        """Standardised latents (B, c, ny / f, nx / f) → standardised frames (B, P, ny, nx)."""
        return self.autoencoder.decode(latents * self.get_buffer("std") + self.get_buffer("mean"))

    def reconstructed(self, x: Tensor) -> Tensor:
        """The program's output for the state's own latents: what the autoencoder alone loses of a frame."""
        return self.output(x, self.to_frame(self.drawn(self.output.seen(x))))  # type: ignore[no-any-return]

    def _outputs(self, x: Tensor, more: tuple[Tensor, ...]) -> Tensor:
        return self.to_frame(self.draw(*self.condition(x, more)))

    def _of_latent_cells(self, noise: Tensor) -> Tensor:
        """Normals (B, draws normals, ny, nx) → (B, draws c, ny / f, nx / f)."""
        parts = (
            functional.pixel_unshuffle(part, self.factor)[:, : len(self.names)]
            for part in torch.split(noise, self.normals_a_draw, 1)
        )
        return torch.cat(list(parts), 1)


def _shape(recipe: Recipe) -> Latents:
    assert recipe.model.latents is not None
    return recipe.model.latents
