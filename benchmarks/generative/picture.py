"""The ablation on one page: for each problem a test pair, members of ensembles, their spread, and spectra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measure import Drawing, cases, open_model, scored, test_pairs
from pipeline import Trained
from problems import Problem
from surrogate_training.data.pairs import PairSet, grid_of
from surrogate_training.metrics.spectrum import isotropic_spectrum

PAIRS, MEMBERS, EVALUATIONS = 8, 16, 4
ENSEMBLES = ("flow", "crps")
COLOURS = {"truth": "black", "regression": "tab:blue", "flow": "tab:orange", "crps": "tab:green"}


@dataclass(frozen=True)
class Shown:
    """Scored frames of a few pairs.

    Attributes
    ----------
    before, truth : ndarray, shape (pairs, ny, nx)
    members : dict of str to ndarray, shape (pairs, M, ny, nx)
        By method.
    """

    before: np.ndarray
    truth: np.ndarray
    members: dict[str, np.ndarray]


def draw(problems: Sequence[Problem], runs: Path, path: Path) -> None:
    """Write a PNG: a row a problem.

    Parameters
    ----------
    problems : sequence of Problem
    runs : Path
        Folder of the bundles; those of seed 0 are shown.
    path : Path
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(23, 3.3 * len(problems)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(len(problems), 9, squeeze=False, width_ratios=[1] * 8 + [1.4])
    for axes, problem in zip(rows, problems, strict=True):
        pairs = test_pairs(problem)
        shown = _show(problem, pairs, runs)
        _frames(axes[:-1], shown, problem)
        _spectra(axes[-1], shown, problem, grid_of([pairs]).spacing)
    figure.savefig(path, dpi=80)


def _show(problem: Problem, pairs: PairSet, runs: Path) -> Shown:
    found = list(cases(pairs, PAIRS))
    channel = next(c for c, field in enumerate(pairs.data.fields) if not field.condition)
    members = {}
    for method in ("regression", *ENSEMBLES):
        bundle = Trained(problem, method, 0, runs).bundle
        if not (bundle / "manifest.json").is_file():
            continue
        with open_model(bundle) as model:
            steps = EVALUATIONS if method == "flow" else None
            drawing = Drawing(model, steps, MEMBERS)
            frames = [drawing(before, index)[:, channel] for index, before, _ in found]
        members[method] = scored(problem, np.stack(frames))
    before = np.stack([scored(problem, before[channel]) for _, before, _ in found])
    return Shown(before, np.stack([scored(problem, after) for *_, after in found]), members)


def _frames(axes: Sequence[Any], shown: Shown, problem: Problem) -> None:
    """T1, truth, regression, two members of flow, one of crps, and both spreads, of the pair in the middle."""
    n = len(shown.truth) // 2
    limit = float(np.percentile(np.abs(shown.truth[n]), 99.5))
    panels: list[tuple[str, np.ndarray]] = [("t1", shown.before[n]), ("true t2", shown.truth[n])]
    wanted = (("regression", 0), ("flow", 0), ("flow", 1), ("crps", 0))
    for method, member in wanted:
        if method in shown.members:
            name = method if method == "regression" else f"{method}, member {member + 1}"
            panels.append((name, shown.members[method][n][member]))
    for axis, (name, frame) in zip(axes, panels, strict=False):
        axis.imshow(frame, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set_title(f"{problem.field} {name}" if name == "t1" else name)
    spreads = [(m, shown.members[m][n].std(0, ddof=1)) for m in ENSEMBLES if m in shown.members]
    for axis, (method, spread) in zip(axes[len(panels) :], spreads, strict=False):
        axis.imshow(spread, origin="lower", cmap="viridis", vmin=0, vmax=limit)
        axis.set_title(f"spread of {method}")
    for axis in axes:
        axis.set_axis_off()


def _spectra(axis: Any, shown: Shown, problem: Problem, spacing: tuple[float, float]) -> None:
    """Mean spectra of single frames over the pairs."""
    everything = {"truth": shown.truth[:, None], **shown.members}
    for name, frames in everything.items():
        spectra = [
            isotropic_spectrum(frame, spacing=spacing, periodic=(problem.periodic,) * 2)
            for pair in frames
            for frame in pair
        ]
        power = np.mean([spectrum.power for spectrum in spectra], 0)
        axis.loglog(spectra[0].wavenumber, power, color=COLOURS[name], label=name)
    axis.set_xlabel("waves per unit length")
    axis.set_title(f"spectrum of single frames, ({problem.unit})²", fontsize=10)
    axis.legend(fontsize=8)
