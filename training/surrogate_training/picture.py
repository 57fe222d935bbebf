"""A picture of one prediction: t1 | t2 | predicted | error, a row a field, scales shared within a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from surrogate_training.data.pairs import open_sets
from surrogate_training.metrics.relative import observed
from surrogate_training.models.scaling import Scaling
from surrogate_training.runfolder import RunFolder


def draw_run(run: RunFolder, path: Path, *, root: Path, part: str = "test", index: int = 0) -> None:
    """Predict pair ``index`` of a part of the split and draw it."""
    recipe, statistics = run.recipe(), run.statistics()
    model, _ = run.model()
    pairs = open_sets(recipe.data, root=root)[part]
    u1, u2 = torch.from_numpy(np.array(pairs.pair(index)))[:, None]  # (1, C, ny, nx) each
    scaling = Scaling(recipe, statistics)
    with torch.no_grad():
        predicted = scaling.frame(u1, model(scaling.normalise(u1)))
    frames = (scaling.predicted(u1), scaling.predicted(u2), predicted)
    states = [observed(u, recipe, statistics) for u in frames]
    first, second, third = ({k: v[0].numpy() for k, v in state.items()} for state in states)
    rows = {name: (first[name], second[name], third[name]) for name in first}
    file, frame = pairs.where(index)
    draw(rows, path, title=f"{recipe.name}: {file}, frame {frame} → {frame + recipe.data.stride}")


def draw(
    rows: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], path: Path, *, title: str
) -> None:
    """Draw (t1, t2, predicted) by name of field, each (ny, nx)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.5 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 4, squeeze=False)
    for line, (name, (u1, u2, predicted)) in zip(axes, rows.items(), strict=True):
        low, high = float(min(u1.min(), u2.min())), float(max(u1.max(), u2.max()))
        error = predicted - u2
        relative = float(np.sqrt(np.mean(error**2)) / u2.std())
        for axis, u in zip(line[:3], (u1, u2, predicted), strict=True):
            shown = axis.imshow(u, origin="lower", vmin=low, vmax=high, cmap="viridis")
        figure.colorbar(shown, ax=list(line[:3]), shrink=0.9)
        half = 0.5 * (high - low)
        shown = line[3].imshow(error, origin="lower", vmin=-half, vmax=half, cmap="RdBu_r")
        figure.colorbar(shown, ax=line[3], shrink=0.9)
        line[0].set_ylabel(name)
        line[3].set_title(f"error, {100 * relative:.1f} % of std")
        for axis in line:
            axis.set_xticks([])
            axis.set_yticks([])
    for axis, label in zip(axes[0][:3], ("t1", "t2", "predicted"), strict=True):
        axis.set_title(label)
    figure.suptitle(title)
    figure.savefig(path, dpi=80)
