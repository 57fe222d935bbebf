"""What the autoencoder of a model of latents loses of the true frame: no error of its frames says more than that."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate_training.evaluation.baselines import Case
from surrogate_training.models.latent import LatentModel
from surrogate_training.predictor import Predictor

RECONSTRUCTION = "reconstruction"
"""Name of the rival: the true frame, encoded and decoded."""


class Floor:
    """The rival of a run whose model draws latents."""

    def __init__(self, trained: Predictor) -> None:
        self.trained = trained

    @classmethod
    def rivals(cls, trained: Predictor) -> dict[str, Floor]:
        """By its name; nothing for a model of fields."""
        return {RECONSTRUCTION: cls(trained)} if isinstance(trained.model, LatentModel) else {}

    @torch.no_grad()
    def __call__(self, case: Case) -> NDArray[np.float32]:
        """The frame at t2 (P, ny, nx) through the autoencoder."""
        model, scaling = self.trained.model, self.trained.scaling
        assert isinstance(model, LatentModel)
        before = torch.from_numpy(case.state)[None]  # (1, C, ny, nx)
        truth = torch.from_numpy(np.asarray(case.truth, np.float32))[None]  # (1, P, ny, nx)
        after = scaling.state(before, truth)
        y = model.reconstructed(scaling.normalise(after))
        return np.asarray(scaling.frame(after, y)[0].numpy())
