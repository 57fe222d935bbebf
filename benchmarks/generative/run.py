"""The ablation of generative methods on two problems with hidden information, through exported bundles.

``python benchmarks/generative/run.py`` scores every bundle that is there: 32 members of 60 test pairs, by each number
of evaluations of the net that the bundle holds. What was scored is not scored again. ``--train`` first trains and
exports all recipes, one after another, from ``--seeds`` seeds (hours; killed, it goes on where it was); data sets that
are missing are made. Writes ``benchmarks/results/generative_<cpu>.json`` and ``generative.png``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from measure import Extent, measure, persistence, training_facts
from picture import draw
from pipeline import ROOT, Trained, make_all
from problems import METHODS, PROBLEMS, Problem
from table import Row, persistence_row, row_of
from targets import CRPS, RMSE, SPECTRUM, SPREAD, judge

from surrogate.environment.machine import cpu_slug
from surrogate.environment.provenance import provenance

RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    """Train if asked to, score, judge, draw and save."""
    given = parse()
    problems = [p for p in PROBLEMS if given.problem in (None, p.name)]
    runs, extent = given.runs.resolve(), Extent(given.pairs, given.members)
    if given.train:
        make_all(problems, given.seeds, runs, say)
    cache = runs / "generative-scores"
    if given.only_scores:
        for problem in problems:
            for method in METHODS:
                for one in exported(problem, method, given):
                    measure(one, extent, cache, say, timed=False)
        return
    rows: list[Row] = []
    result: dict[str, Any] = {"rows": rows, "problems": {}}
    for problem in problems:
        found = [row for method in METHODS for row in rows_of(problem, method, given, cache)]
        if not found:
            say(f"{problem.name}: no bundles in {runs}; train with --train")
            continue
        kept = persistence(problem, extent)
        found.append(persistence_row(problem.name, kept, extent.pairs))
        rows += found
        result["problems"][problem.name] = {
            "unit": problem.unit,
            "spectrum_error_of_other_frames": kept["spectrum_error_of_other_frames"],
            "targets": judge(found),
        }
    if not rows:
        raise SystemExit(1)
    result["targets"] = {"rmse": RMSE, "crps": CRPS, "spectrum_error": SPECTRUM}
    result["targets"] |= {"spread_skill": list(SPREAD)}
    result["environment"] = provenance(ROOT)
    out = given.out.resolve()
    (out / f"generative_{cpu_slug()}.json").write_text(json.dumps(result, indent=2) + "\n")
    draw([p for p in problems if p.name in result["problems"]], runs, out / "generative.png")
    for row in rows:
        print({key: _short(row[key]) for key in (*HEAD, *NUMBERS)})


HEAD = ("problem", "method", "nfe")
NUMBERS = ("rmse", "mae", "spectrum_error", "crps", "spread_skill", "ms_per_member")


def rows_of(problem: Problem, method: str, given: argparse.Namespace, cache: Path) -> list[Row]:
    """A row for each number of evaluations of a method, over the seeds whose bundles are there."""
    there = exported(problem, method, given)
    extent = Extent(given.pairs, given.members)
    measured = {one.seed: measure(one, extent, cache, say) for one in there}
    facts = {one.seed: training_facts(one.run) for one in there}
    evaluations = sorted({found["nfe"] for each in measured.values() for found in each})
    rows = []
    for nfe in evaluations:
        by_seed = {s: one for s, each in measured.items() for one in each if one["nfe"] == nfe}
        rows.append(row_of(problem.name, method, by_seed, [facts[seed] for seed in by_seed]))
    return rows


def exported(problem: Problem, method: str, given: argparse.Namespace) -> list[Trained]:
    """Bundles of a method that are there."""
    trained = [Trained(problem, method, seed, given.runs.resolve()) for seed in range(given.seeds)]
    return [one for one in trained if (one.bundle / "manifest.json").is_file()]


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true", help="train and export what is not there")
    parser.add_argument("--seeds", type=int, default=3, help="training seeds, from 0 on")
    parser.add_argument("--problem", choices=[p.name for p in PROBLEMS], help="only this one")
    parser.add_argument("--pairs", type=int, default=60, help="test pairs")
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument(
        "--only-scores", action="store_true", help="score and stop: times want a quiet machine"
    )
    parser.add_argument("--runs", type=Path, default=ROOT / ".runs")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of result and picture")
    return parser.parse_args()


def say(text: str) -> None:
    """Progress, beside the result."""
    print(text, file=sys.stderr, flush=True)


def _short(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
