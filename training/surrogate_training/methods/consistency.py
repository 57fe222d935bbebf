"""``consistency``: a net learns where its teacher's sampler would end, from every level of noise in one evaluation.

The teacher's ODE leads every x_t of a path to the same draw w, so the student's answers at two neighbouring levels of a
path must be equal (Song et al. 2023, arXiv:2303.01469, algorithm 2). Its own answer at the later level is the target,
without averaging (Song & Dhariwal 2023, arXiv:2310.14189); at the end of the path that is the teacher's draw.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from surrogate_training.config import ConsistencyConfig, Recipe
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.diffusion.processes import make_process
from surrogate_training.methods.denoising import Answered, Denoising
from surrogate_training.methods.warm_start import load_start, take_over
from surrogate_training.models.generative import Condition, GenerativeModel

TEACHER = "teacher"


class Consistency(Denoising):
    """Mean square of what the student says at two neighbouring levels of the teacher's path.

    The teacher is a network that no phase trains: checkpoints hold it, so that a resumed run needs no other folder.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)
        assert isinstance(recipe.method, ConsistencyConfig)
        teacher = self.make_generator(recipe, statistics).requires_grad_(False)
        self.networks[TEACHER] = teacher
        self.path = teacher.process.schedule(recipe.method.levels)

    @classmethod
    def make_generator(cls, recipe: Recipe, statistics: Statistics) -> GenerativeModel:
        """See :class:`Method`: the teacher's kind of model, with a sampler of its own."""
        assert isinstance(recipe.method, ConsistencyConfig)
        return GenerativeModel(recipe, statistics, make_process(recipe.method))

    @property
    def teacher(self) -> GenerativeModel:
        """What the student is to draw like."""
        found = self.networks[TEACHER]
        assert isinstance(found, GenerativeModel)
        return found

    def start(self, root: Path) -> None:
        """Teacher and student begin as the run that ``method.start`` names.

        Raises
        ------
        StartError
            If there is none, or it has another process.
        """
        assert isinstance(self.config, ConsistencyConfig)
        found = load_start(self.recipe, self.statistics, root, process=self.config.process)
        assert isinstance(found, GenerativeModel)
        found.null = None  # what a guided teacher says without condition is not distilled
        take_over(self.generator, found)
        take_over(self.teacher, found)

    def prepare(self, batch: Batch, *, step: int) -> Answered:
        """Noise the frame at t2 to a random level; the teacher's next point; what the student says at both."""
        given = self._given(batch)
        w = self._drawn(batch, given)  # (B, P, ny, nx)
        here = torch.randint(len(self.path), (len(w),), device=w.device)
        alpha, sigma = self._at(here)
        x = alpha * w + sigma * torch.randn_like(w)
        with torch.no_grad():
            ahead, end = self._teacher_step(x, here, self._given(batch, self.teacher))
            # the last point is the end itself: no net is asked there
            target = torch.where(end, ahead, self._says(self.generator, ahead, here + 1, given))
        return Answered(self._says(self.generator, x, here, given), target, batch.weight)

    def _teacher_step(self, x: Tensor, here: Tensor, given: Condition) -> tuple[Tensor, Tensor]:
        """Heun's method from a level to the next, Euler's to the end, as ``samplers.heun``; and where the end is."""
        (a, s), (b, r) = self._at(here), self._at(here + 1)
        w = self._says(self.teacher, x, here, given)
        slope = (b - a) * w + (r - s) * (x - a * w) / s
        ahead, end = x + slope, r == 0
        w = self._says(self.teacher, ahead, here + 1, given)
        other = (b - a) * w + (r - s) * (ahead - b * w) / r.masked_fill(end, 1.0)
        return torch.where(end, ahead, x + 0.5 * (slope + other)), end

    def _says(self, model: GenerativeModel, x: Tensor, where: Tensor, given: Condition) -> Tensor:
        """A model's estimate of w at points (B,) of the path, in float32; at the end that of the point before."""
        t = x.new_tensor(self.path.times)[where.clamp(max=len(self.path) - 1)]
        return model.process.denoised(model.answer(x, t, given).float(), x, t)

    def _at(self, where: Tensor) -> tuple[Tensor, Tensor]:
        """α and σ, (B, 1, 1, 1) each, at points (B,) of the path."""
        values = torch.tensor([self.path.alphas, self.path.sigmas], device=where.device)
        alpha, sigma = values[:, where, None, None, None]
        return alpha, sigma
