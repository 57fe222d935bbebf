"""What an evaluation found, pair by pair, in memory: the source of summary, table and report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surrogate_training.evaluation.ensembles import EnsembleScores
from surrogate_training.evaluation.examples import Example
from surrogate_training.evaluation.rollouts import Rollout
from surrogate_training.evaluation.scores import METRICS
from surrogate_training.evaluation.system import System

Array = NDArray[np.float64]

MODEL, COARSE = "model", "coarse"
BASELINES = ("persistence", "linear_extrapolation", "mean")


@dataclass(frozen=True)
class PairFacts:
    """Where a pair comes from (its trajectory or region, file and frame), and the guards that would have refused it."""

    run: str
    file: str
    frame: int
    time: float
    refused: tuple[str, ...]


@dataclass
class Histogram:
    """How often values occur, in bins of equal width; what lies outside counts in the first or last bin."""

    edges: Array
    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def add(self, name: str, values: Array) -> None:
        """Count values (any shape) under a name."""
        inside = np.clip(values, self.edges[0], self.edges[-1])
        counts = np.histogram(inside, self.edges)[0]
        self.counts[name] = self.counts.get(name, np.zeros_like(counts)) + counts


@dataclass
class Result:
    """Scores of every method on every pair.

    Attributes
    ----------
    system : System
    pairs : list of PairFacts
    scores : dict of str to ndarray, shape (pairs, fields, metrics)
        By method; NaN where a pair does not have what a method needs, or a number has no meaning.
    spectra : dict of str to ndarray, shape (pairs, fields, shells)
        By method, and ``truth``.
    wavenumber : ndarray, shape (shells,)
    histograms : dict of str to Histogram
        By field: of the truth and of the model's frames.
    scale : dict of str to float
        By field: what numbers in its unit are divided by before means over fields.
    seconds : list of float
        Of each prediction.
    trajectories : int
        Files, or parts of files, that the pairs come from.
    rollout, ensemble
        None where they were not asked for, or the data has no windows, the model no members.
    notes : list of str
        What could not be done, and why.
    examples : list of Example
        The best, the median and the worst pair, where pictures were asked for.
    stochastic : bool
        Whether the model's frames are draws: its scores are then of one member a pair.
    steps : int, optional
        Evaluations of the net a frame, of a generative model.
    solver_seconds, coarse_seconds : float, optional
        Of a jump, as the files of the data and of the coarse solver tell.
    """

    system: System
    pairs: list[PairFacts]
    scores: dict[str, Array]
    spectra: dict[str, Array]
    wavenumber: Array
    histograms: dict[str, Histogram]
    scale: dict[str, float]
    seconds: list[float]
    trajectories: int
    rollout: Rollout | None = None
    ensemble: EnsembleScores | None = None
    notes: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    stochastic: bool = False
    steps: int | None = None
    solver_seconds: float | None = None
    coarse_seconds: float | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The model and all that it is compared with."""
        return tuple(self.scores)

    @property
    def counted(self) -> list[int]:
        """Positions of the fields that enter means over fields."""
        return [k for k, f in enumerate(self.system.fields) if f.counted]

    def column(self, method: str, metric: str) -> Array:
        """One number of one method, shape (pairs, fields)."""
        return self.scores[method][..., METRICS.index(metric)]

    def errors(self, method: str = MODEL) -> Array:
        """Mean VRMSE over the counted fields, shape (pairs,): what pairs are ranked by."""
        return np.asarray(self.column(method, "vrmse")[:, self.counted].mean(1))

    def ranked(self) -> NDArray[np.intp]:
        """Pairs that have a prediction, best first."""
        found = self.errors()
        return np.argsort(found)[: int(np.isfinite(found).sum())]

    def extremes(self) -> dict[str, int]:
        """Rows of the best, the median and the worst pair."""
        ranked = self.ranked()
        return {
            "best": int(ranked[0]),
            "median": int(ranked[len(ranked) // 2]),
            "worst": int(ranked[-1]),
        }

    def refusals(self) -> dict[str, int]:
        """Pairs that a guard would have refused, by its reason."""
        return dict(Counter(reason for pair in self.pairs for reason in pair.refused))
