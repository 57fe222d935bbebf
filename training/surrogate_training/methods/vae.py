"""``vae``: a variational autoencoder of frames (Kingma & Welling 2013, arXiv:1312.6114), for models of its latents."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from surrogate_training.config import Recipe, VAEConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.models.blocks import Boundaries, pad_axis
from surrogate_training.models.reconstruction import Reconstruction

FLAT = 1e-6  # mean square of a frame's differences, below which it counts as uniform


@dataclass(frozen=True)
class Coded:
    """A frame and what became of it, (B, P, ny, nx) each; means and log-variances of the latents between."""

    frame: Tensor
    decoded: Tensor
    mean: Tensor
    log_variance: Tensor


class VAE(Method):
    """Error of a frame that went through its latents, and how far these are from standard normals."""

    generator: Reconstruction

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, VAEConfig)
        self.config = recipe.method

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> Reconstruction:
        """See :class:`Method`."""
        return Reconstruction(recipe, statistics)

    def truth(self, batch: Batch) -> Tensor:
        """The frame that goes in."""
        return self.scaling.predicted(batch.u1)

    def prepare(self, batch: Batch, *, step: int) -> Coded:
        """Encode the frame at t2, draw its latents, decode."""
        net = self.generator.net
        frame = self.scaling.answer(batch.u1, batch.u2)  # (B, P, ny, nx)
        mean, log_variance = net.encode(frame)  # (B, c, ny / f, nx / f) each
        latents = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return Coded(frame, net.decode(latents), mean, log_variance)

    def loss(self, network: str, context: Coded, *, step: int) -> Loss:
        """See :class:`VAEConfig`; a part a field (mean square), ``gradient`` and ``kl``."""
        error = context.decoded - context.frame
        square = error.square().mean((0, 2, 3))  # (P,)
        parts = {f.name: e for f, e in zip(self.recipe.predicted, square, strict=True)}
        parts["kl"] = divergence(context.mean, context.log_variance)
        total = square.mean() + self.config.kl * parts["kl"]
        if self.config.gradient:
            boundary = self.recipe.model.boundary
            size = steepness(context.frame, boundary).clamp(min=FLAT)
            parts["gradient"] = (steepness(error, boundary) / size).mean()
            total = total + self.config.gradient * parts["gradient"]
        return Loss(total, parts)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, variance) from N(0, 1), in nats, mean over all latent numbers (their appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def steepness(u: Tensor, boundary: Boundaries) -> Tensor:
    """Mean square of the differences between neighbouring cells of u (B, P, ny, nx), by field, (P,)."""
    steps = (
        pad_axis(u, axis, 0, 1, kind).diff(dim=axis).square().mean((0, 2, 3))
        for axis, kind in zip((-2, -1), boundary, strict=True)
    )
    return torch.stack(list(steps)).mean(0)
