"""The full run on one page: a test patch as every way to t2 has it, and the spectra of all test pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from surrogate_training.evaluation.result import Result

Frame = NDArray[np.floating]
LIMIT = 150.0  # Mx/cm^2, where the grey scale ends


def draw(
    frames: Mapping[str, Frame],
    results: Mapping[str, Result],
    path: Path,
    *,
    title: str,
) -> None:
    """Write a PNG.

    Parameters
    ----------
    frames : mapping of str to ndarray, shape (ny, nx)
        ``t1`` and ``true t2`` first, then predictions by name; each of these has its error below it.
    results : mapping of str to Result
        By method, for the spectra.
    path : Path
    title : str
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    predictions = [name for name in frames if name not in ("t1", "true t2")]
    columns = 2 + len(predictions)
    figure = Figure(figsize=(3.1 * columns, 6.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, columns)
    for axis, (name, frame) in zip(axes[0], frames.items(), strict=True):
        shown = axis.imshow(frame, origin="lower", vmin=-LIMIT, vmax=LIMIT, cmap="gray")
        axis.set_title(name)
    figure.colorbar(shown, ax=list(axes[0]), label="Br, Mx/cm²", shrink=0.9, extend="both")
    truth = frames["true t2"]
    for axis, name in zip(axes[1][2:], predictions, strict=True):
        error = frames[name] - truth
        relative = np.linalg.norm(error) / np.linalg.norm(truth)
        shown = axis.imshow(error, origin="lower", vmin=-LIMIT, vmax=LIMIT, cmap="RdBu_r")
        axis.set_title(f"error, {relative:.2f} of the truth's norm", fontsize=10)
    figure.colorbar(shown, ax=list(axes[1][2:]), label="error, Mx/cm²", shrink=0.9, extend="both")
    for axis in (*axes[0], *axes[1][2:]):
        axis.set_xticks([])
        axis.set_yticks([])
    for axis in axes[1][:2]:
        axis.remove()
    _spectra(figure.add_subplot(axes[1][0].get_gridspec()[1, :2]), results)
    figure.suptitle(title)
    figure.savefig(path, dpi=85)


def _spectra(axis, results: Mapping[str, Result]) -> None:  # noqa: ANN001 (matplotlib's Axes)
    """Mean spectrum of every method over that of the truth."""
    one = next(iter(results.values()))
    truth = np.nanmean(one.spectra["truth"][:, 0], axis=0)  # (shells,)
    lines = {name: result.spectra["model"] for name, result in results.items()}
    lines |= {name: one.spectra[name] for name in one.methods if name in ("persistence", "coarse")}
    for name, spectra in lines.items():
        label = "solver at half resolution" if name == "coarse" else name
        axis.plot(one.wavenumber[1:], (np.nanmean(spectra[:, 0], axis=0) / truth)[1:], label=label)
    axis.axhline(1, color="black", linewidth=0.6)
    axis.set(xscale="log", yscale="log", xlabel="wavenumber", ylabel="power over the truth's")
    axis.legend(fontsize=8)
