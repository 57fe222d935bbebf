"""The whole magnetogram pipeline: from an HMI synoptic map to regression and pix2pix, scored beside the solver.

``SURROGATE_DATA=folder-of-the-map python benchmarks/magnetogram/run.py`` runs flux_transport twice from the map of
Carrington rotation 2252, cuts FITS regions, makes cubes, pairs and a split by sectors of longitude, trains the recipes
(an hour on two cores; killed, it goes on where it was), exports, evaluates through the run time, checks polarity
symmetry, writes predicted FITS images and ``benchmarks/results/magnetogram_<cpu>.json`` and
``magnetogram.png``. What is there is not made again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

from picture import draw
from pipeline import (
    BANDS,
    BUFFER,
    CELLS,
    FIRST_HARP,
    FRAMES,
    HOURS,
    METHODS,
    ROOT,
    SECTORS,
    SIZE,
    Folders,
    make_bundle,
    make_data,
    make_images,
)
from polarity import polarity_error
from rivals import HalfResolution, seconds_per_patch
from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.baselines import read_case
from surrogate_training.evaluation.evaluate import Options
from surrogate_training.evaluation.predictors import BundlePredictor
from surrogate_training.evaluation.result import COARSE
from surrogate_training.evaluation.sources import open_data
from surrogate_training.evaluation.system import system_of_bundle
from surrogate_training.report.evaluation import Evaluation, evaluate_subject
from surrogate_training.runfolder import open_run

from surrogate.bundle.manifest import Manifest
from surrogate.environment.machine import allowed_cores, cpu_slug
from surrogate.environment.provenance import provenance

MAP = "hmi_br_cr2252_1024x512.h5"
COUNTED = ("model", "persistence", "linear_extrapolation", "mean", COARSE)


def main() -> None:
    """Run what is not there yet, score, print and save."""
    arguments = parse()
    folders = Folders(arguments.data.resolve(), arguments.runs.resolve())
    make_data(folders, synoptic_map(), ranks=allowed_cores(), report=say)
    if arguments.only_data:
        return
    half = HalfResolution(folders)
    cost = seconds_per_patch(folders)
    evaluations = {}
    for method in METHODS:
        make_bundle(folders, method, report=say)
        evaluations[method] = evaluate_subject(
            folders.bundle(method),
            test_list(folders),
            run=folders.run(method),
            options=Options(rollout=0, rivals={COARSE: half}),
            solver_seconds=cost["full"]["median"],
        )
        evaluations[method].write(folders.report(method))
    result = {method: scores(folders, method, e) for method, e in evaluations.items()}
    result |= {"data": data_facts(folders), "solver_seconds_per_patch": cost}
    result |= {"environment": provenance(ROOT)}
    out = ROOT / "benchmarks" / "results"
    (out / f"magnetogram_{cpu_slug()}.json").write_text(json.dumps(result, indent=2) + "\n")
    picture(folders, evaluations, half, out / "magnetogram.png")
    for method in METHODS:
        line = {name: result[method][name]["rmse"] for name in COUNTED}
        print(method, {name: round(value, 3) for name, value in line.items()})


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / ".data" / "magnetogram")
    parser.add_argument("--runs", type=Path, default=ROOT / ".runs")
    parser.add_argument("--only-data", action="store_true", help="make the data set and stop")
    return parser.parse_args()


def synoptic_map() -> Path:
    """The HMI map, in the folder that SURROGATE_DATA names."""
    folder = os.environ.get("SURROGATE_DATA", "")
    path = Path(folder) / MAP
    if not folder or not path.is_file():
        raise SystemExit(f"set SURROGATE_DATA to the folder that holds {MAP} (given {folder!r})")
    return path.resolve()


def scores(folders: Folders, method: str, evaluation: Evaluation) -> dict[str, Any]:
    """One method's part of the result: the summary's numbers, polarity, cost, and where it came from."""
    summary = evaluation.summary
    bundle = folders.bundle(method)
    manifest = Manifest.read(bundle / "manifest.json")
    images = make_images(folders, method, test_region(folders), report=say)
    seconds = sorted(evaluation.result.seconds)
    return {
        **{name: summary[name] for name in COUNTED},
        "unit": summary["unit"],
        "pairs": summary["pairs"],
        "refused": summary["refused"],
        "polarity": polarity_error(bundle, test_pairs(folders, method)),
        "seconds_per_patch": {
            "median": seconds[len(seconds) // 2],
            "least": seconds[0],
            "greatest": seconds[-1],
        },
        "receptive_field": list(manifest.locality.receptive_field),
        "reduces_over_space": manifest.locality.reduces_over_space,
        "training": training_facts(folders.run(method)),
        "predicted_fits": len(list(images.glob("*.fits"))),
    }


def training_facts(run: Path) -> dict[str, Any]:
    """Weights, steps, pairs, seconds and commit of a run."""
    folder = open_run(run)
    statistics, facts = folder.statistics(), folder.environment()
    resources = run / "resources.json"
    return {
        "pairs": statistics.pairs,
        "steps": folder.recipe().optimiser.steps,
        "parameters": sum(p.numel() for p in folder.model()[0].parameters()),
        "commit": facts["commit"],
        "resources": json.loads(resources.read_text()) if resources.is_file() else None,
    }


def data_facts(folders: Folders) -> dict[str, Any]:
    """What the pairs are and how they were split."""
    parts = {}
    for part in ("train", "validation", "test"):
        with (folders.split / part / "pairs.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        parts[part] = {"pairs": len(rows), "regions": len({row["region"] for row in rows})}
    return {
        **parts,
        "map": MAP,
        "seeds": list(FIRST_HARP),
        "cells": list(CELLS),
        "patch": SIZE,
        "sectors": SECTORS,
        "bands": BANDS,
        "frames": FRAMES,
        "hours": HOURS,
        "buffer_degrees": BUFFER,
    }


def test_list(folders: Folders) -> Path:
    """The pairs of the test sectors."""
    return folders.split / "test" / "pairs.csv"


def test_pairs(folders: Folders, method: str) -> PairSet:
    """The same, opened by a recipe."""
    recipe = open_run(folders.run(method)).recipe()
    manifest = Manifest.read(folders.bundle(method) / "manifest.json")
    bundle = folders.bundle(method)
    return open_data(manifest, recipe, bundle, test_list(folders), root=ROOT, part="test")


def test_region(folders: Folders) -> str:
    """A region of the test sectors."""
    with test_list(folders).open(newline="") as stream:
        return str(next(csv.DictReader(stream))["region"])


def picture(
    folders: Folders, evaluations: dict[str, Evaluation], half: HalfResolution, path: Path
) -> None:
    """The pair that is median for regression, as everybody has it."""
    results = {name: e.result for name, e in evaluations.items()}
    index = results["regression"].extremes()["median"]
    frames = {}
    for method in METHODS:
        bundle, pairs = folders.bundle(method), test_pairs(folders, method)
        manifest = Manifest.read(bundle / "manifest.json")
        system = system_of_bundle(manifest, bundle)
        case = read_case(pairs, index, system)
        with BundlePredictor(bundle, manifest, system, seed=0) as predictor:
            predicted, _ = predictor.predict(case.state, None, step=0)
        frames |= {"t1": case.before[0], "true t2": case.truth[0]}
        if predicted is not None:
            frames[method] = predicted[0]
    frames["solver at half resolution"] = half(case)[0]
    draw(frames, results, path, title=f"{case.run}, {HOURS} h: the median test pair of regression")


def say(text: str) -> None:
    """Progress, beside the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
