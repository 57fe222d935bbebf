"""The two ways to predict a frame: a bundle through the run time, as a solver does, or a run's trained model."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from surrogate.bundle.manifest import Manifest
from surrogate.closing import Closing
from surrogate.errors import Rejected
from surrogate.model import Surrogate
from surrogate_training.evaluation.system import System
from surrogate_training.predictor import Predictor as TrainedModel
from surrogate_training.runfolder import RunFolder

Array = NDArray[np.float32]


class Predictor(Protocol):
    """Predicts frames.

    Attributes
    ----------
    seconds : list of float
        Wall time of each prediction.
    stochastic : bool
        Whether members differ.
    """

    seconds: list[float]
    stochastic: bool

    def predict(
        self, state: Array, parameters: Array | None, *, step: int, member: int = 0
    ) -> tuple[Array | None, tuple[str, ...]]:
        """The predicted fields (P, ny, nx) at t2 of a state (C, ny, nx), and the guards that would have refused it.

        None: there is no frame, because a value is not finite.
        """


class BundlePredictor(Closing):
    """A bundle, opened by :class:`surrogate.Surrogate`.

    Guards are asked and not obeyed: a frame that they would refuse is scored too, or the worst frames would count in
    nobody's mean. What they would have refused is told beside it.
    """

    def __init__(self, bundle: Path, manifest: Manifest, system: System, *, seed: int = 0) -> None:
        policy = manifest.guards.policy.model_dump()
        keep = {key: "keep" for key, what in policy.items() if what == "reject"} | {
            "finite": "reject"
        }
        self.model = Surrogate.open(bundle, guards={"policy": keep})
        self.system, self.seed = system, seed
        self.stochastic = self.model.info.stochastic
        self.seconds: list[float] = []

    def close(self) -> None:
        """Close the model."""
        self.model.close()

    def predict(
        self, state: Array, parameters: Array | None, *, step: int, member: int = 0
    ) -> tuple[Array | None, tuple[str, ...]]:
        """See :class:`Predictor`."""
        before = Counter(self.model.statistics.kept_by)
        given = None if parameters is None else [float(p) for p in parameters]
        begun = time.perf_counter()
        try:
            frame = self.model.predict(
                state, parameters=given, step=step, seed=self.seed, member=member
            )
        except Rejected as refused:
            return None, (refused.reason,)
        self.seconds.append(time.perf_counter() - begun)
        kept = Counter(self.model.statistics.kept_by) - before
        return self.system.predicted(frame), tuple(sorted(kept))


class RunPredictor:
    """A run's averaged model in PyTorch, without guards."""

    def __init__(self, run: RunFolder) -> None:
        model, _ = run.model()
        self.trained = TrainedModel(model, run.recipe(), run.statistics())
        self.seconds: list[float] = []
        self.stochastic = bool(model.noise_inputs)

    @torch.no_grad()
    def predict(
        self, state: Array, parameters: Array | None, *, step: int, member: int = 0
    ) -> tuple[Array | None, tuple[str, ...]]:
        """See :class:`Predictor`."""
        begun, one = time.perf_counter(), self.trained
        y = one.model(*one.inputs_of(state[None], parameters, step=step, member=member))
        frame = one.scaling.frame(torch.from_numpy(state)[None], y)[0].numpy()
        self.seconds.append(time.perf_counter() - begun)
        if not np.isfinite(frame).all():
            return None, ("OUTPUT_NOT_FINITE",)
        return frame, ()
