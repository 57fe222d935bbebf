"""Errors of the averaged generator on validation pairs, whatever the method."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from surrogate_training.callback import Sample
from surrogate_training.config import Recipe
from surrogate_training.data.batches import Batch, stored
from surrogate_training.data.pairs import PairSet
from surrogate_training.data.statistics import Statistics
from surrogate_training.methods.method import Method
from surrogate_training.methods.registry import make_generator
from surrogate_training.metrics.relative import mean_score, observed, relative_errors
from surrogate_training.models.fields import FieldModel
from surrogate_training.models.latent import LatentModel
from surrogate_training.trainer import ensembles
from surrogate_training.trainer.processes import Processes
from surrogate_training.trainer.seeds import VALIDATION, seed_torch

FLOOR = "floor"
"""Of a model of latents: the error of the true frame that only went through the autoencoder."""


class Validation:
    """Validates a generator on up to ``run.validation_pairs`` pairs, spread evenly over the set."""

    def __init__(
        self,
        pairs: PairSet,
        recipe: Recipe,
        statistics: Statistics,
        method: Method,
        processes: Processes,
    ) -> None:
        self.pairs, self.recipe, self.statistics = pairs, recipe, statistics
        self.method, self.processes = method, processes
        self.indices = pairs.spread(recipe.run.validation_pairs)

    @property
    def stochastic(self) -> bool:
        """Whether the generator draws its frames."""
        return bool(self.method.generator.noise_inputs)

    @property
    def names(self) -> list[str]:
        """Of the numbers that :meth:`values` returns."""
        fields = torch.zeros(1, len(self.recipe.predicted), 2, 2)
        floor = [FLOOR] if isinstance(self.method.network, LatentModel) else []
        drawn = ensembles.NAMES if self.stochastic else ()
        return ["error", *observed(fields, self.recipe, self.statistics), *floor, *drawn]

    @torch.no_grad()
    def values(self, average: dict[str, Tensor]) -> dict[str, float]:
        """``error`` (mean over fields that count), each field's relative error, :data:`FLOOR`: means over the pairs.

        Of a stochastic generator these are errors of one sample; beside them stand the scores of small ensembles at a
        few of the pairs (:mod:`surrogate_training.trainer.ensembles`).
        """
        model = self._model(average)
        mine: list[dict[str, float]] = []
        for index in self.indices[self.processes.number :: self.processes.count]:
            batch = self._batch(index)
            found = self._errors(self._predict(model, batch, index), batch)
            if isinstance(model, LatentModel):
                decoded = model.reconstructed(self.method.scaling.normalise(batch.u2))
                frame = self.method.scaling.frame(batch.u2, decoded)
                found[FLOOR] = self._errors(frame, batch)["error"]
            mine.append(found)
        every: list[dict[str, float]] = self.processes.gather(mine)
        means = {name: float(np.mean([e[name] for e in every])) for name in every[0]}
        return means | (self._ensembles(model) if self.stochastic else {})

    @torch.no_grad()
    def sample(self, average: dict[str, Tensor]) -> Sample:
        """The pair in the middle of the set beside its prediction."""
        index = self.indices[len(self.indices) // 2]
        batch = self._batch(index)
        predicted = self._predict(self._model(average), batch, index)
        fields = self.recipe.predicted
        file, frame = self.pairs.where(index)
        states = (batch.u1, batch.u2)
        u1, u2 = (self.method.scaling.predicted(u)[0].cpu().numpy() for u in states)
        return Sample(
            names=tuple(f.name for f in fields),
            units=tuple(f.unit for f in fields),
            u1=u1,
            u2=u2,
            predicted=predicted[0].cpu().numpy(),
            where=f"{file} frame {frame}",
        )

    def _ensembles(self, model: FieldModel) -> dict[str, float]:
        """Scores of small ensembles; the noise is the pair's own, at any step."""
        indices = self.pairs.spread(min(ensembles.PAIRS, len(self.indices)))
        mine = []
        for index in indices[self.processes.number :: self.processes.count]:
            one = self._batch(index)
            frames = self._predict(model, one.repeated(ensembles.MEMBERS), index)
            truth = self.method.scaling.predicted(one.u2)
            mine.append(
                ensembles.score(frames, truth, self.recipe, self.statistics, weight=one.weight)
            )
        return ensembles.summary(self.processes.gather(mine))

    def _model(self, average: dict[str, Tensor]) -> FieldModel:
        model = make_generator(self.recipe, self.statistics).to(self.processes.device)
        model.load_state_dict(average)
        return model.eval()

    def _batch(self, index: int) -> Batch:
        return stored(self.pairs, index).to(self.processes.device)

    def _errors(self, frame: Tensor, batch: Batch) -> dict[str, float]:
        """Relative errors of a frame (1, P, ny, nx) by field, their mean first."""
        truth, weight = self.method.truth(batch), batch.weight
        found = relative_errors(frame, truth, self.recipe, self.statistics, weight=weight)
        errors = {name: float(e) for name, e in found.items()}
        return {"error": mean_score(errors, self.recipe), **errors}

    def _predict(self, model: FieldModel, batch: Batch, index: int) -> Tensor:
        """Predicted fields at t2, (B, P, ny, nx); a stochastic net's noise is the pair's own, at any step."""
        seed_torch(self.recipe.seed, VALIDATION, index)
        return self.method.scaling.frame(batch.u1, model(*self.method.inputs(batch, batch.u1)))
