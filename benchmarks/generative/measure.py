"""Scores and cost of a bundle through the run time, kept by the bundle's hash so that nothing is measured twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pipeline import RECIPES, ROOT, Trained
from problems import EVALUATIONS, Problem
from scores import Scores
from surrogate_training.data.pairs import PairSet, grid_of
from surrogate_training.evaluation.sources import open_part
from surrogate_training.recipe import load_recipe
from surrogate_training.runfolder import open_run

from surrogate import Surrogate
from surrogate.whole import write_json

Array = np.ndarray
Report = Callable[[str], None]
TIMED = 8
"""Pairs whose predictions are timed."""


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    pairs : int
        Test pairs, spread evenly.
    members : int
        Frames a pair.
    """

    pairs: int = 60
    members: int = 32


def test_pairs(problem: Problem) -> PairSet:
    """The test part of the data that all recipes of the problem name."""
    recipe = load_recipe(RECIPES / f"{problem.recipe('regression')}.yaml")
    return open_part(recipe, root=ROOT, part="test")


def scored(problem: Problem, values: Array) -> Array:
    """Values in which frames are compared."""
    return np.asarray(
        values if problem.softening is None else np.arcsinh(values / problem.softening)
    )


def cases(pairs: PairSet, count: int) -> Iterator[tuple[int, Array, Array]]:
    """(index, state at t1 (C, ny, nx), true frame of the predicted field (ny, nx))."""
    predicted = next(c for c, f in enumerate(pairs.data.fields) if not f.condition)
    for index in pairs.spread(count):
        before, after = pairs.pair(index)
        yield index, before, after[predicted]


def measure(
    one: Trained, extent: Extent, cache: Path, report: Report, *, timed: bool = True
) -> list[dict[str, Any]]:
    """A result for each number of evaluations that the bundle holds; without `timed` its scores alone."""
    manifest = (one.bundle / "manifest.json").read_bytes()
    sampler = json.loads(manifest).get("sampler")
    held = [None] if sampler is None else [n for n in EVALUATIONS if n in sampler["steps"]]
    found = []
    for steps in held:
        key = json.dumps([one.name, steps, asdict(extent)]).encode() + manifest
        path = cache / f"{one.name}_{steps or 1}_{hashlib.sha256(key).hexdigest()[:12]}.json"
        made = _kept(path, _score, (one, steps, extent), report)
        if timed:
            # scores are a program's own, times belong to a quiet machine: each is kept by itself
            seconds = path.with_stem(f"{path.stem}_seconds")
            made |= _kept(seconds, _time, (one, steps, extent), report)
        found.append(made)
    return found


def _kept(
    path: Path, make: Callable[..., dict[str, Any]], of: tuple[Any, ...], report: Report
) -> dict[str, Any]:
    """What stands in a file; made first, of its arguments `of`, if it is not there."""
    if not path.is_file():
        report(path.stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, make(*of))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def persistence(problem: Problem, extent: Extent) -> dict[str, Any]:
    """The frame at t1 as prediction, and the spectrum error of true frames against those of other pairs."""
    pairs = test_pairs(problem)
    kept, other = _scores(problem, pairs), _scores(problem, pairs)
    frames = list(cases(pairs, extent.pairs))
    for n, (_, before, after) in enumerate(frames):
        truth = scored(problem, after)
        kept.add(scored(problem, before[_channel(pairs)])[None], truth)
        other.add(scored(problem, frames[n - len(frames) // 2][2])[None], truth)
    return {
        "scores": kept.summary(),
        "spectrum_error_of_other_frames": other.summary()["spectrum_error"],
    }


def training_facts(run: Path) -> dict[str, Any]:
    """Weights, steps and seconds of a run."""
    folder, resources = open_run(run), run / "resources.json"
    spent = json.loads(resources.read_text()) if resources.is_file() else {}
    return {
        "parameters": sum(p.numel() for p in folder.model()[0].parameters()),
        "steps": folder.recipe().optimiser.steps,
        "seconds": spent.get("seconds"),
        "cpu_seconds": spent.get("cpu_seconds"),
        "commit": folder.environment()["commit"],
    }


def _score(one: Trained, steps: int | None, extent: Extent) -> dict[str, Any]:
    problem, pairs = one.problem, test_pairs(one.problem)
    channel = _channel(pairs)
    inner, outer = _scores(problem, pairs), Scores(*_space(problem, pairs))
    refused = 0
    with open_model(one.bundle) as model:
        draw = Drawing(model, steps, extent.members)
        for index, before, after in cases(pairs, extent.pairs):
            members = draw(before, index)  # (M, C, ny, nx)
            if not np.isfinite(members).all():
                refused += 1
                continue
            frames = members[:, channel]  # (M, ny, nx)
            inner.add(scored(problem, frames), scored(problem, after))
            outer.add(frames, after)
        drawn = draw.members
    return {
        "nfe": steps or 1,
        "members": drawn,
        "pairs": extent.pairs,
        "refused": refused,
        "scores": inner.summary(),
        "scores_of_field": outer.summary(),
    }


def _time(one: Trained, steps: int | None, extent: Extent) -> dict[str, Any]:
    """Medians of calls for all members and for one, in turns, after one of each."""
    batch: list[float] = []
    single: list[float] = []
    with open_model(one.bundle) as model:
        draw = Drawing(model, steps, extent.members)
        for index, before, _ in cases(test_pairs(one.problem), TIMED + 1):
            for members, seconds in ((draw.members, batch), (1, single)):
                begun = time.perf_counter()
                draw(before, index, members=members)
                seconds.append(time.perf_counter() - begun)
        drawn = draw.members
    taken = {"batch": float(np.median(batch[1:])), "single": float(np.median(single[1:]))}
    return {
        "seconds": taken,
        "ms_per_member": 1e3 * taken["batch"] / drawn,
        "batch_over_singles": taken["batch"] / (drawn * taken["single"]),
    }


def open_model(bundle: Path) -> Surrogate:
    """A bundle on one thread.

    Guards refuse only what is not finite, or the worst frames would count in nobody's mean.
    """
    kept = {
        key: "keep"
        for key, what in json.loads((bundle / "manifest.json").read_bytes())["guards"][
            "policy"
        ].items()
        if what == "reject" and key != "finite"
    }
    return Surrogate.open(bundle, threads=1, guards={"policy": kept})


class Drawing:
    """Draws members of a model by a number of evaluations; of a deterministic one its only frame."""

    def __init__(self, model: Surrogate, steps: int | None, members: int) -> None:
        self.model = model
        self.members = members if model.info.stochastic else 1
        self.options = {} if steps is None else {"steps": steps}

    def __call__(self, state: Array, step: int, *, members: int | None = None) -> Array:
        """Frames (M, C, ny, nx) of a state (C, ny, nx)."""
        wanted = members or self.members
        if not self.model.info.stochastic:
            return np.asarray(self.model.predict(state))[None]
        if wanted == 1:
            return np.asarray(self.model.predict(state, step=step, **self.options))[None]
        return np.asarray(self.model.predict_members(state, wanted, step=step, **self.options))


def _channel(pairs: PairSet) -> int:
    return next(c for c, field in enumerate(pairs.data.fields) if not field.condition)


def _space(problem: Problem, pairs: PairSet) -> tuple[tuple[float, float], bool]:
    return grid_of([pairs]).spacing, problem.periodic


def _scores(problem: Problem, pairs: PairSet) -> Scores:
    return Scores(*_space(problem, pairs))
