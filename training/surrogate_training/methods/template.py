"""A method to copy: regression by the Charbonnier loss, whole in one file.

To add a method of your own,

1. copy this file to ``methods/NAME.py`` and rename the class;
2. write its section in ``config/method.py``: a :class:`Section` with ``kind: Literal["NAME"] = "NAME"``, ``noise``
   (which the data source reads) and the keys that your loss needs, each with a default; add it to the union ``Method``
   there, and to ``config/__init__.py``;
3. name it in ``methods/registry.py``: ``METHODS["NAME"]``;
4. choose it in a recipe: ``method: {kind: NAME, ...}``.

Trainer, checkpoints, evaluation, export and report then know it. What a method may do is in :mod:`.method`; the next
steps from here are

- more networks: add them to ``self.networks`` in the constructor and return their names from ``phases``, in the order
  in which a step updates them (:mod:`.pix2pix`);
- several jumps: :func:`.unroll.unroll` in ``prepare``, and ``Recipe.unroll`` must say how many (:mod:`.regression`);
- random numbers: draw them from torch's own generator in ``prepare``; the trainer seeds it by (seed, step), so a
  resumed run draws the same.
"""

from __future__ import annotations

from torch import Tensor

from surrogate_training.config import Recipe, TemplateConfig
from surrogate_training.data.batches import Batch
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Loss, Method
from surrogate_training.metrics.relative import weighted_mean


class Template(Method):
    """Mean of sqrt(e² + ε²) (Charbonnier, Blanc-Féraud, Aubert & Barlaud 1994), e the error of a frame at t2.

    It is quadratic for |e| ≪ ε and a mean absolute error beyond: fronts weigh less than in a square. Errors are in
    units of the standard deviation of their field's increment, in which persistence has size 1.
    """

    def __init__(self, recipe: Recipe, statistics: Statistics) -> None:
        super().__init__(recipe, statistics)  # makes the generator and the scaling
        assert isinstance(recipe.method, TemplateConfig)
        self.config = recipe.method

    def prepare(self, batch: Batch, *, step: int) -> tuple[Tensor, Tensor | None]:
        """Error of the predicted fields in physical units (B, P, ny, nx), and where it counts."""
        y = self.generator(*self.inputs(batch, batch.u1)).float()  # (B, P, ny, nx)
        frame = self.scaling.frame(batch.u1, y)
        return frame - self.scaling.predicted(batch.u2), batch.weight

    def loss(self, network: str, context: tuple[Tensor, Tensor | None], *, step: int) -> Loss:
        """Mean over the fields; each is a part of the loss, so ``metrics.jsonl`` has it by name."""
        error, weight = context
        parts = {}
        for channel, field in enumerate(self.recipe.predicted):
            scaled = error[:, channel] / self.statistics.fields[field.name].increment_std
            size = (scaled.square() + self.config.epsilon**2).sqrt()  # (B, ny, nx)
            counted = size if weight is None else weighted_mean(size, weight[:, 0])
            parts[field.name] = counted.mean()
        return Loss(sum(parts.values(), start=error.new_zeros(())) / len(parts), parts)
