"""The two ways to predict a frame: a bundle through the run time, as a solver does, or a run's trained model."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from surrogate.bundle.manifest import Manifest
from surrogate.bundle.names import GUIDANCE
from surrogate.closing import Closing
from surrogate.errors import Rejected
from surrogate.model import Surrogate
from surrogate_training.evaluation.system import System
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import Predictor as TrainedModel
from surrogate_training.runfolder import RunFolder

Array = NDArray[np.float32]


Reasons = tuple[str, ...]


class Predictor(Protocol):
    """Predicts frames of states (C, ny, nx).

    A frame is the predicted fields (P, ny, nx) at t2, beside the guards that would have refused it; None: there is no
    frame, because a value is not finite.

    Attributes
    ----------
    seconds : list of float
        Wall time of each single prediction.
    member_seconds : list of float
        Of each ensemble, over its members.
    stochastic : bool
        Whether members differ.
    steps : int, optional
        Evaluations of the net a frame, of a generative model.
    """

    seconds: list[float]
    member_seconds: list[float]
    stochastic: bool
    steps: int | None

    def predict(
        self, state: Array, parameters: Array | None, *, step: int, caption: str | None = None
    ) -> tuple[Array | None, Reasons]:
        """One frame; the first member of a stochastic model.

        Parameters
        ----------
        state : ndarray, shape (C, ny, nx)
        parameters : ndarray, shape (P + L,), optional
            Scalar parameters and the caption's token ids, as :meth:`PairSet.parameters` has them.
        step : int
            Whose noise is drawn.
        caption : str, optional
            Of a model that takes one.
        """

    def predict_members(
        self,
        state: Array,
        parameters: Array | None,
        members: int,
        *,
        step: int,
        caption: str | None = None,
    ) -> Array | None:
        """So many frames of a stochastic model in one call, (M, P, ny, nx); None if one of them is not finite."""


class BundlePredictor(Closing):
    """A bundle, opened by :class:`surrogate.Surrogate`.

    Guards are asked and not obeyed: a frame that they would refuse is scored too, or the worst frames would count in
    nobody's mean. What they would have refused is told beside it.

    Parameters
    ----------
    bundle : Path
    manifest : Manifest
        Its own.
    system : System
    seed : int
        Of a stochastic model.
    steps : int, optional
        Of a generative one; default: its preset.

    Raises
    ------
    ValueError
        If it has no program of so many steps.
    """

    def __init__(
        self,
        bundle: Path,
        manifest: Manifest,
        system: System,
        *,
        seed: int = 0,
        steps: int | None = None,
    ) -> None:
        sampler = manifest.sampler
        check_steps(steps, () if sampler is None else tuple(sampler.steps))
        policy = manifest.guards.policy.model_dump()
        keep = {key: "keep" for key, what in policy.items() if what == "reject"} | {
            "finite": "reject"
        }
        self.model = Surrogate.open(bundle, guards={"policy": keep})
        self.system, self.manifest = system, manifest
        self.stochastic = self.model.info.stochastic
        self.steps = steps if sampler is None or steps is not None else sampler.preset
        self._always: dict[str, Any] = {"seed": seed} | ({} if steps is None else {"steps": steps})
        self.seconds: list[float] = []
        self.member_seconds: list[float] = []

    def close(self) -> None:
        """Close the model."""
        self.model.close()

    def predict(
        self, state: Array, parameters: Array | None, *, step: int, caption: str | None = None
    ) -> tuple[Array | None, Reasons]:
        """See :class:`Predictor`."""
        before = Counter(self.model.statistics.kept_by)
        options = self._options(parameters, caption)
        begun = time.perf_counter()
        try:
            frame = self.model.predict(state, step=step, **options)
        except Rejected as refused:
            return None, (refused.reason,)
        self.seconds.append(time.perf_counter() - begun)
        kept = Counter(self.model.statistics.kept_by) - before
        return self.system.predicted(frame), tuple(sorted(kept))

    def predict_members(
        self,
        state: Array,
        parameters: Array | None,
        members: int,
        *,
        step: int,
        caption: str | None = None,
    ) -> Array | None:
        """See :class:`Predictor`."""
        options = self._options(parameters, caption)
        begun = time.perf_counter()
        try:
            frames = self.model.predict_members(state, members, step=step, **options)
        except Rejected:
            return None
        self.member_seconds.append((time.perf_counter() - begun) / members)
        return self.system.predicted(frames)

    def _options(self, parameters: Array | None, caption: str | None) -> dict[str, Any]:
        """Keywords of a call; guidance stays at its preset, and the run time makes token ids itself."""
        names = [p.name for p in self.manifest.parameters if p.name != GUIDANCE]
        options = dict(self._always)
        if names and parameters is not None:
            options["parameters"] = dict(zip(names, map(float, parameters), strict=False))
        if self.manifest.text is not None:
            options["caption"] = caption
        return options


class RunPredictor:
    """A run's averaged model in PyTorch, without guards.

    Parameters
    ----------
    run : RunFolder
    steps : int, optional
        Of a generative model, any number; default: the recipe's preset.

    Raises
    ------
    ValueError
        If a model without a sampler is given steps.
    """

    def __init__(self, run: RunFolder, *, steps: int | None = None) -> None:
        model, _ = run.model()
        if isinstance(model, GenerativeModel):
            model = model.variant(steps or model.steps)
            self.steps: int | None = model.steps
        else:
            check_steps(steps, ())
            self.steps = None
        self.trained = TrainedModel(model, run.recipe(), run.statistics())
        self.seconds: list[float] = []
        self.member_seconds: list[float] = []
        self.stochastic = bool(model.noise_inputs)

    def predict(
        self, state: Array, parameters: Array | None, *, step: int, caption: str | None = None
    ) -> tuple[Array | None, Reasons]:
        """See :class:`Predictor`."""
        begun = time.perf_counter()
        frame = self.trained.members(state[None], parameters, step=step)[0]
        self.seconds.append(time.perf_counter() - begun)
        if not np.isfinite(frame).all():
            return None, ("OUTPUT_NOT_FINITE",)
        return frame, ()

    def predict_members(
        self,
        state: Array,
        parameters: Array | None,
        members: int,
        *,
        step: int,
        caption: str | None = None,
    ) -> Array | None:
        """See :class:`Predictor`."""
        begun = time.perf_counter()
        frames = self.trained.members(state[None], parameters, step=step, members=members)
        self.member_seconds.append((time.perf_counter() - begun) / members)
        return frames if np.isfinite(frames).all() else None


def check_steps(steps: int | None, known: tuple[int, ...]) -> None:
    """Refuse a number of steps that there is no program for.

    Raises
    ------
    ValueError
        Naming those that there are.
    """
    if steps is None or steps in known:
        return
    if not known:
        raise ValueError(
            f"--steps {steps}: the model has no sampler, its net is evaluated once a frame; leave the option out"
        )
    raise ValueError(
        f"--steps {steps}: the bundle holds programs of {', '.join(map(str, known))} steps; name one of them, or "
        "export with others in sampler.steps"
    )
