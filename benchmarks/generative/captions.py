"""Whether a caption moves what a generative model draws the right way.

``python benchmarks/generative/captions.py`` takes the newest runs of the captioned recipes (and trains those that are
missing, minutes each), lets each flow draw the frames at t2 of its test pairs by their captions, and writes
``benchmarks/results/captions.json`` and ``captions.png``. Frames are judged twice, each time beside the true frames,
beside the same frames with their captions shuffled, which is chance, and beside frames drawn without a caption:

- by retrieval: the encoders of method ``clip`` look for each frame's caption among all of the test set, and back;
- by measure: numbers that no net has a part in. Of shapes area, channel means and roundness; of turbulence the growth
  of the vorticity and the scales of what has changed, whose nearest mean over the training set names the regime.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from captions_picture import draw_page
from numpy.typing import NDArray
from surrogate_training.data.pairs import PairSet, open_sets
from surrogate_training.generate import ensure_data
from surrogate_training.models.generative import GenerativeModel
from surrogate_training.predictor import Predictor
from surrogate_training.recipe import load_recipe
from surrogate_training.runfolder import RunFolder, new_run, open_run, set_threads
from surrogate_training.text.evaluation import evaluate_retrieval
from surrogate_training.text.matcher import Matcher
from surrogate_training.text.steering import Drawn, draw, judged, measured, shuffled
from surrogate_training.trainer import Trainer

from surrogate.environment.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
CASES = ("captioned_shapes", "captioned_regimes")
Judge = Callable[[Drawn], dict[str, float]]


def main() -> None:
    """Judge, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[*CASES], choices=CASES, help="recipes")
    parser.add_argument("--out", type=Path, default=RESULTS / "captions.json")
    arguments = parser.parse_args()
    cases = {name: Case.open(name) for name in arguments.only}
    result = {
        "cases": {name: case.judge() for name, case in cases.items()},
        "environment": provenance(ROOT, packages=("surrogate", "torch", "numpy")),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    draw_page(
        {n: c.examples() for n, c in cases.items()},
        result["cases"],
        arguments.out.with_suffix(".png"),
    )
    print(json.dumps(result["cases"], indent=2))
    print(f"saved {arguments.out}")


@dataclass(frozen=True)
class Case:
    """A generative run, the encoders that judge it, and the test pairs.

    Attributes
    ----------
    truth : Drawn
        The true frames at t2, as if they had been drawn.
    measure : callable
        Shares of drawn frames whose measured words are the caption's.
    new : ndarray of bool, shape (N,)
        Pairs whose captions training lacks.
    """

    name: str
    run: RunFolder
    clip: RunFolder
    predictor: Predictor
    truth: Drawn
    measure: Judge
    new: NDArray[np.bool_]

    @classmethod
    def open(cls, name: str) -> Case:
        """The newest runs of the two recipes, trained now if there are none."""
        clip, run = trained(f"{name}_clip"), trained(name)
        recipe, statistics = run.recipe(), run.statistics()
        set_threads(recipe.run.threads)
        sets = open_sets(recipe.data, root=ROOT)
        known = sets["train"].captions
        truth = whole(sets["test"])
        measure = measured if name == "captioned_shapes" else Regimes(whole(sets["train"]))
        new = np.array([caption not in known for caption in truth.captions])
        return cls(
            name, run, clip, Predictor(run.model()[0], recipe, statistics), truth, measure, new
        )

    def judge(self) -> dict[str, Any]:
        """Everything about the case."""
        model = self.predictor.model
        assert isinstance(model, GenerativeModel)
        steps = self.predictor.recipe.sampler.steps
        drawn = {n: self.draw(self.truth.captions, steps=n) for n in steps}
        best = drawn[max(steps)]
        silent = self.draw([""] * len(self.new), steps=max(steps))
        return {
            "pairs": len(self.new),
            "captions": len(set(self.truth.captions)),
            "truth": self._scores(self.truth),
            "drawn": {str(n): self._scores(d) for n, d in drawn.items()},
            "shuffled": self._scores(shuffled(best)),
            "without_caption": self._scores(Drawn(silent.u1, silent.u2, self.truth.captions)),
            "new_captions": self._new(best),
            "encoders_on_test": evaluate_retrieval(self.clip, root=ROOT),
            "parameters": sum(p.numel() for p in model.parameters()),
            "training": {"clip": progress(self.clip), "flow": progress(self.run)},
        }

    def draw(self, captions: Sequence[str], *, steps: int) -> Drawn:
        """Frames of the test states by these captions, with so many evaluations."""
        return draw(self.variant(steps), self.truth.u1, captions)

    def variant(self, steps: int) -> Predictor:
        """The model with so many evaluations."""
        model, recipe = self.predictor.model, self.predictor.recipe
        assert isinstance(model, GenerativeModel)
        return Predictor(model.variant(steps), recipe, self.run.statistics())

    def examples(self) -> list[Drawn]:
        """For the picture: a state of each of six captions with its true frame, and two drawn ones.

        Captions that training lacks come last, two at most.
        """
        fresh = [c for c, new in zip(self.truth.captions, self.new, strict=True) if new]
        fresh = list(dict.fromkeys(fresh))[-2:]
        known = [c for c in dict.fromkeys(self.truth.captions) if c not in fresh]
        count = min(6 - len(fresh), len(known))
        chosen = [known[n * len(known) // count] for n in range(count)] + fresh
        where = [self.truth.captions.index(caption) for caption in chosen]
        true, predictor = (
            part(self.truth, where),
            self.variant(max(self.predictor.recipe.sampler.steps)),
        )
        return [true, *(draw(predictor, true.u1, chosen, step=1000 * k) for k in (1, 2))]

    def _scores(self, drawn: Drawn) -> dict[str, dict[str, float]]:
        matcher, _ = self.clip.network()
        assert isinstance(matcher, Matcher)
        return {
            "retrieval": judged(matcher, self.clip.recipe(), drawn),
            "measure": self.measure(drawn),
        }

    def _new(self, drawn: Drawn) -> dict[str, Any] | None:
        """Of pairs with captions that training lacks; candidates of the retrieval are all captions."""
        if not self.new.any():
            return None
        matcher, _ = self.clip.network()
        assert isinstance(matcher, Matcher)
        return {
            "pairs": int(self.new.sum()),
            "retrieval": judged(matcher, self.clip.recipe(), drawn, counted=self.new),
            "measure": self.measure(part(drawn, np.flatnonzero(self.new))),
        }


class Regimes:
    """Names the regime of a pair of vorticities by the nearest mean of three numbers over the training set."""

    def __init__(self, known: Drawn) -> None:
        numbers = self._numbers(known)  # (N, 3)
        captions = np.array(known.captions)
        self.captions = sorted(set(known.captions))
        groups = [numbers[captions == caption] for caption in self.captions]
        self.means = np.stack([group.mean(0) for group in groups])  # (M, 3)
        self.spread = np.sqrt(np.mean([group.var(0) for group in groups], axis=0))

    def __call__(self, drawn: Drawn) -> dict[str, float]:
        """Share of frames whose regime is the caption's."""
        away = (self._numbers(drawn)[:, None] - self.means) / self.spread  # (N, M, 3)
        found = np.square(away).sum(2).argmin(1)
        return {"all": float(np.mean(np.array(self.captions)[found] == np.array(drawn.captions)))}

    @staticmethod
    def _numbers(drawn: Drawn) -> NDArray[np.float64]:
        """Logarithm of the vorticity's growth, and the mean wavenumbers of the frame and of the increment, (N, 3)."""
        before, after = drawn.u1[:, 0].astype(float), drawn.u2[:, 0].astype(float)  # (N, ny, nx)
        growth = np.log(after.std((1, 2)) / before.std((1, 2)))
        return np.stack([growth, _wavenumber(after), _wavenumber(after - before)], 1)


def _wavenumber(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean wavenumber of (N, n, n), weighted by power, (N,)."""
    k = np.fft.fftfreq(u.shape[-1], 1 / u.shape[-1])
    power = np.abs(np.fft.fft2(u)) ** 2
    return (power * np.hypot(k[:, None], k[None, :])).sum((1, 2)) / power.sum((1, 2))


def trained(name: str) -> RunFolder:
    """The newest run of a recipe, as far as it has come; trained now if there is none."""
    experiment = ROOT / ".runs" / name
    with contextlib.suppress(FileNotFoundError):
        run = open_run(experiment)
        run.network()
        return run
    recipe = load_recipe(ROOT / "training" / "recipes" / f"{name}.yaml")
    ensure_data(recipe.data, root=ROOT)
    run = new_run(experiment)
    Trainer(recipe, run, root=ROOT).train()
    run.name_latest()
    return run


def progress(run: RunFolder) -> dict[str, Any]:
    """Steps that the averaged network has seen, of how many; and what they cost, where the run has ended."""
    cost = run.path / "resources.json"
    seconds = json.loads(cost.read_text())["cpu_seconds"] if cost.is_file() else None
    return {
        "steps": run.network()[1],
        "of": run.recipe().optimiser.steps,
        "cpu_seconds": seconds,
    }


def whole(pairs: PairSet) -> Drawn:
    """True pairs of a part."""
    states = np.stack([pairs.pair(n) for n in range(len(pairs))], axis=1)  # (2, N, C, ny, nx)
    return Drawn(states[0], states[1], tuple(pairs.caption(n) or "" for n in range(len(pairs))))


def part(drawn: Drawn, where: Sequence[int] | NDArray[np.int_]) -> Drawn:
    """Some of the frames."""
    return Drawn(drawn.u1[where], drawn.u2[where], tuple(drawn.captions[n] for n in where))


if __name__ == "__main__":
    main()
