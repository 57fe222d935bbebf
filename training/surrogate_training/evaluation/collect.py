"""The pass over the pairs: predict, score, forget the frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.baselines import Case, baselines, read_case
from surrogate_training.evaluation.predictors import Predictor
from surrogate_training.evaluation.result import MODEL, Histogram, PairFacts, Result
from surrogate_training.evaluation.scores import METRICS, Reference
from surrogate_training.evaluation.system import System

Array = NDArray[np.float64]
Frame = NDArray[np.floating]
Done = Callable[[int, int], None]
Rival = Callable[[Case], "Frame | None"]

TRUTH = "truth"
BINS = 80
_MARGIN = 0.05  # of the trained range, to each side of a histogram


def collect(
    predictor: Predictor,
    system: System,
    pairs: PairSet,
    indices: list[int],
    *,
    rivals: Mapping[str, Rival] | None = None,
    done: Done = lambda count, total: None,
) -> Result:
    """Score a model and the baselines on pairs.

    Parameters
    ----------
    predictor : Predictor
    system : System
    pairs : PairSet
    indices : list of int
        Of the pairs.
    rivals : mapping of str to callable, optional
        More methods: a frame (P, ny, nx) of a case, or None where they have none.
    done : callable, optional
        Told after each pair how many are done, of how many.

    Raises
    ------
    ValueError
        If there are no pairs, or no prediction was finite.
    """
    if not indices:
        raise ValueError("there are no pairs to evaluate on")
    scorer = _Scorer(system, len(indices))
    for row, index in enumerate(indices):
        case = read_case(pairs, index, system)
        predicted, refused = predictor.predict(
            case.state, case.parameters, step=index, caption=case.caption
        )
        frames = {MODEL: predicted, **baselines(case, system)}
        frames |= {name: rival(case) for name, rival in (rivals or {}).items()}
        scorer.add(row, case, frames)
        scorer.facts.append(PairFacts(case.run, case.file, case.frame, case.time, refused))
        done(row + 1, len(indices))
    result = scorer.result(list(predictor.seconds), len(pairs.runs))
    result.stochastic, result.steps = predictor.stochastic, predictor.steps
    return result


class _Scorer:
    """Gathers what :class:`Result` holds."""

    def __init__(self, system: System, count: int) -> None:
        self.system, self.count = system, count
        self.facts: list[PairFacts] = []
        self.scores: dict[str, Array] = {}
        self.spectra: dict[str, Array] = {}
        self.histograms: dict[str, Histogram] = {}
        self.moments = np.zeros((len(system.fields), 3))  # cells, sum, sum of squares of the truth

    def add(self, row: int, case: Case, frames: Mapping[str, Frame | None]) -> None:
        """Score the frames of one pair."""
        truth, before = self.system.observe(case.truth), self.system.observe(case.before)
        references = [
            Reference(
                truth[name],
                before[name],
                self._weight(case, name),
                spacing=self.system.spacing,
                periodic=self.system.periodic,
            )
            for name in self.system.names
        ]
        if row == 0:
            self.wavenumber = references[0].spectrum.wavenumber
        for k, (name, reference) in enumerate(zip(self.system.names, references, strict=True)):
            self._put(self.spectra, TRUTH, (row, k), reference.spectrum.power)
            self._count(name, TRUTH, reference.truth, reference.weight)
            known = (
                reference.truth
                if reference.weight is None
                else reference.truth[reference.weight > 0]
            )
            self.moments[k] += known.size, known.sum(), np.square(known).sum()
        for method, frame in frames.items():
            self.scores.setdefault(
                method, np.full((self.count, len(references), len(METRICS)), np.nan)
            )
            if frame is None:
                continue
            observed = self.system.observe(frame)
            for k, (name, reference) in enumerate(zip(self.system.names, references, strict=True)):
                self.scores[method][row, k], spectrum = reference.score(observed[name])
                self._put(self.spectra, method, (row, k), spectrum.power)
                if method == MODEL:
                    self._count(name, MODEL, observed[name], reference.weight)

    def result(self, seconds: list[float], trajectories: int) -> Result:
        """All that was gathered."""
        if np.isnan(self.scores[MODEL]).all():
            raise ValueError(
                f"none of {self.count} predictions is finite: are the data the model's fields, in its units?"
            )
        cells, total, squares = self.moments.T
        deviation = np.sqrt(np.maximum(squares / cells - (total / cells) ** 2, 0))
        scale = {
            f.name: float(s if np.isnan(f.std) else f.std)
            for f, s in zip(self.system.fields, deviation, strict=True)
        }
        return Result(
            self.system,
            self.facts,
            self.scores,
            self.spectra,
            self.wavenumber,
            self.histograms,
            scale,
            seconds,
            trajectories,
        )

    def _weight(self, case: Case, name: str) -> Array | None:
        """Where a scored field has data: a curl where all has that it is made of."""
        if case.weight is None:
            return None
        known = np.where(case.weight > 0, case.truth, np.nan)
        return np.isfinite(self.system.observe(known)[name]).astype(np.float64)

    def _put(self, into: dict[str, Array], method: str, at: tuple[int, int], power: Array) -> None:
        fields = len(self.system.fields)
        spectra = into.setdefault(method, np.full((self.count, fields, len(power)), np.nan))
        if spectra.shape[-1] == len(power):  # a mask that cuts the frame leaves fewer shells
            spectra[at] = power

    def _count(self, name: str, method: str, u: Array, weight: Array | None) -> None:
        values = u if weight is None else u[weight > 0]
        if name not in self.histograms:
            low, high = next(f.limits for f in self.system.fields if f.name == name)
            share = _MARGIN
            if not np.isfinite(
                [low, high]
            ).all():  # the first pair must do, and others may reach further
                low, high, share = float(values.min()), float(values.max()), 0.5
            margin = share * (high - low) or 1.0
            self.histograms[name] = Histogram(np.linspace(low - margin, high + margin, BINS + 1))
        self.histograms[name].add(method, values)
