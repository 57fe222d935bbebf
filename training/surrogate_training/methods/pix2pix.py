"""Image-to-image translation with a conditional adversarial net (Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004).

The generator minimises  g_gan + λ g_l1,  the discriminator  (d_real + d_fake) / 2 + r1. The L1 is of *unit-scaled*
values, those of the scaled field (linear or asinh) in units of its range in training. The discriminator sees them
divided by their standard deviation: in a field of rare strong spots, a magnetogram, they are a few hundredths, and it
would tell nothing apart for thousands of steps. A step updates the discriminator first, then the generator against the
discriminator that this made, by one and the same predicted frame. What goes wrong in practice, and where to look:

Batch norm
    trains on the statistics of its batch and predicts with running ones. With the paper's batch of one these are of a
    single frame, as an instance norm's, and the exported net is another function than the trained one: validation,
    which predicts as the export does, is then far worse than ``g_l1``. Take a larger ``optimiser.batch``, or
    ``model.norm: instance`` (whose bundle is exact and, like the net itself, needs whole frames).
The discriminator wins
    when ``d_right`` stays near 1, ``d_real`` and ``d_fake`` near 0 and ``g_gan`` grows: its gradient no longer says
    anything. ``method.l1_warmup`` starts it on plausible frames; ``discriminator_learning_rate``, ``r1`` (10 is usual)
    and ``discriminator.spectral_norm`` slow it down. A ``d_right`` near 0.5 is the equilibrium, or a discriminator
    that is too weak.
Tanh
    cannot leave (-1, 1): values beyond the training set's largest are cut off, and near it gradients vanish. Strong
    fields need ``scaling: asinh``, or ``model.tanh: false``, which is the default.
A potential
    is judged itself, not by its curl: the only gauge that real frames show is the data's.
RMSE
    rises, by design: the adversarial part trades it for a spectrum like the truth's. Judge by both. λ sets the price:
    of a texture that cannot be known (``test_pix2pix_spectrum``) L1 alone leaves 3 % of the fine power, λ = 100 a
    quarter, λ = 10 two thirds, at an RMSE of 0.55, 0.60 and 0.68.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from surrogate_training.config import Pix2PixConfig, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.adversarial import OBJECTIVES, gradient_penalty
from surrogate_training.methods.method import GENERATOR, Loss, Method
from surrogate_training.metrics.relative import weighted_mean
from surrogate_training.models.patchgan import PatchGAN

DISCRIMINATOR = "discriminator"


@dataclass(frozen=True)
class Translation:
    """A batch in unit-scaled values.

    Attributes
    ----------
    condition : Tensor, shape (B, C, ny, nx)
        The whole state at t1, as the generator saw it, and the scalar parameters where there are some.
    real, fake : Tensor, shape (B, P, ny, nx)
        The true and the predicted frame at t2, equal where data is missing; `fake` with the generator's graph.
    weight : Tensor, shape (B, 1, ny, nx), optional
        0 where data is missing; None: nowhere.
    """

    condition: Tensor
    real: Tensor
    fake: Tensor
    weight: Tensor | None


class Pix2Pix(Method):
    """Generator and PatchGAN discriminator, trained against each other.

    Raises
    ------
    ValueError
        If the frames are too small for the discriminator's layers.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, Pix2PixConfig)
        self.config = recipe.method
        self.objective = OBJECTIVES[self.config.gan]
        channels = len(recipe.names) + len(recipe.predicted) + len(recipe.data.parameters)
        critic = PatchGAN(channels, self.config.discriminator)
        if min(statistics.shape) < critic.smallest:
            raise ValueError(
                f"the data has {statistics.shape} cells; a discriminator of {critic.layers} layers needs at least "
                f"{critic.smallest} along each axis: lower method.discriminator.layers"
            )
        self.networks[DISCRIMINATOR] = critic
        units = self.scaling.units
        contrast = [u.reach / u.scaled_std for u in units] + [1.0] * len(recipe.data.parameters)
        self.register_buffer("contrast", torch.tensor(contrast)[:, None, None], persistent=False)

    def phases(self, step: int) -> tuple[str, ...]:
        """Discriminator, then generator; the generator alone while L1 warms up."""
        return (GENERATOR,) if self._warming_up(step) else (DISCRIMINATOR, GENERATOR)

    def learning_rate(self, network: str) -> float:
        """The largest rate of a network's optimiser."""
        own = self.config.discriminator_learning_rate if network == DISCRIMINATOR else None
        return super().learning_rate(network) if own is None else own

    def prepare(self, batch: Batch, *, step: int) -> Translation:
        """Real and predicted frames, from the step's one pass through the generator."""
        real = self.scaling.unit_scaled(self.scaling.predicted(batch.u2))
        fake = self.generator.scaled(*self.inputs(batch, batch.u1)).float()
        if batch.weight is not None:
            fake = torch.where(batch.weight > 0, fake, real)
        return Translation(self._condition(batch), real, fake, batch.weight)

    def loss(self, network: str, context: Translation, *, step: int) -> Loss:
        """Parts of the discriminator: d_real, d_fake, r1, d_right (share of patches that it calls right).

        Those of the generator: g_l1 and, after the warm-up, g_gan.
        """
        if network == DISCRIMINATOR:
            return self._discriminator_loss(context)
        return self._generator_loss(context, adversarial=not self._warming_up(step))

    def _condition(self, batch: Batch) -> Tensor:
        """The state and, as a constant channel each, the standardised parameters: a frame is judged for its Δt."""
        state = self.scaling.conditions(batch.u1)  # (B, C, ny, nx)
        embedding = self.generator.embedding
        if embedding is None or batch.parameters is None:
            return state
        mean, std = embedding.get_buffer("mean"), embedding.get_buffer("std")
        maps = ((batch.parameters - mean) / std)[:, :, None, None]  # (B, parameters, 1, 1)
        return torch.cat([state, maps.expand(-1, -1, *state.shape[2:])], 1)

    def _warming_up(self, step: int) -> bool:
        return step < self.config.l1_warmup

    def _seen(self, context: Translation, frame: Tensor) -> tuple[Tensor, Tensor]:
        """Condition and frame as the discriminator sees them: deviations of 1."""
        contrast = self.get_buffer("contrast")  # (C, 1, 1)
        return context.condition * contrast, frame * contrast[self.scaling.channels]

    def _judge(self, context: Translation, frame: Tensor) -> Tensor:
        logits: Tensor = self.networks[DISCRIMINATOR](*self._seen(context, frame))
        return logits.float()  # (B, 1, n_y, n_x); the loss is in full precision

    def _discriminator_loss(self, context: Translation) -> Loss:
        objective = self.objective
        real, fake = self._judge(context, context.real), self._judge(context, context.fake.detach())
        right = (real > objective.threshold).float() + (fake < objective.threshold).float()
        parts = {
            "d_real": objective.real(real).mean(),
            "d_fake": objective.fake(fake).mean(),
            "d_right": right.mean() / 2,
        }
        total = (parts["d_real"] + parts["d_fake"]) / 2
        if self.config.r1 > 0:
            critic = self.networks[DISCRIMINATOR]
            penalty = gradient_penalty(critic, *self._seen(context, context.real))
            parts["r1"] = self.config.r1 / 2 * penalty
            total = total + parts["r1"]
        return Loss(total, parts)

    def _generator_loss(self, context: Translation, *, adversarial: bool) -> Loss:
        parts = {"g_l1": mean_absolute_error(context)}
        total = self.config.lambda_l1 * parts["g_l1"]
        if adversarial:
            parts["g_gan"] = self.objective.fool(self._judge(context, context.fake)).mean()
            total = total + parts["g_gan"]
        return Loss(total, parts)


def mean_absolute_error(context: Translation) -> Tensor:
    """Of unit-scaled frames, over the cells that have data."""
    error = (context.fake - context.real).abs().mean(1)  # (B, ny, nx)
    if context.weight is None:
        return error.mean()
    return weighted_mean(error, context.weight[:, 0]).mean()
