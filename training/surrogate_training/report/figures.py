"""Figures of a result, each a function of it; None where it has nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from surrogate_training.evaluation.collect import TRUTH
from surrogate_training.evaluation.result import MODEL, Result
from surrogate_training.metrics.curves import CORRELATED
from surrogate_training.report.style import (
    colour,
    grid_figure,
    label,
    new_figure,
    panels,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOXES = ("vrmse", "correlation", "ssim", "spectrum_error")
_LOGARITHMIC = ("vrmse", "spectrum_error")


def boxes(result: Result) -> Figure:
    """Numbers of all pairs by method: quartiles, whiskers from 5 to 95 %, and the pairs outside."""
    figure = new_figure(11.5, 3.4)
    for axis, metric in zip(panels(figure, len(BOXES), columns=4), BOXES, strict=True):
        shown = {}
        for method in result.methods:
            values = result.column(method, metric)[:, result.counted].mean(1)
            if np.isfinite(values).any():
                shown[method] = values[np.isfinite(values)]
        drawn = axis.boxplot(
            list(shown.values()),
            whis=(5, 95),
            patch_artist=True,
            flierprops={"marker": ".", "markersize": 3},
            medianprops={"color": "black"},
        )
        for patch, method in zip(drawn["boxes"], shown, strict=True):
            patch.set_facecolor(colour(method))
        axis.set_xticks(
            range(1, len(shown) + 1), [label(method) for method in shown], rotation=35, ha="right"
        )
        if metric in _LOGARITHMIC and min(v.min() for v in shown.values()) > 0:
            axis.set_yscale("log")
        axis.set_title(metric.replace("_", " "))
        axis.grid(axis="y", alpha=0.3)
    return figure


def histograms(result: Result) -> Figure:
    """How often values occur, true and predicted, all pairs together."""
    fields = result.system.fields
    figure = grid_figure(len(fields))
    for axis, field in zip(panels(figure, len(fields)), fields, strict=True):
        histogram = result.histograms[field.name]
        width = np.diff(histogram.edges)
        for name in (TRUTH, MODEL):
            counts = histogram.counts[name]
            axis.stairs(
                counts / counts.sum() / width,
                histogram.edges,
                label=label(name),
                color=colour(name),
            )
        axis.set_yscale("log")
        axis.set_xlabel(with_unit(field.name, field.unit))
        axis.set_ylabel("probability density")
        axis.grid(alpha=0.3)
    figure.axes[0].legend()
    return figure


def spectra(result: Result) -> Figure:
    """Median isotropic spectra with the band from 16 to 84 % of the pairs; the shaded third is what is scored."""
    fields = result.system.fields
    figure = grid_figure(len(fields))
    k = result.wavenumber
    for position, (axis, field) in enumerate(zip(panels(figure, len(fields)), fields, strict=True)):
        for name in (TRUTH, MODEL, "persistence", *([m for m in result.methods if m == "coarse"])):
            power = result.spectra[name][:, position]  # (pairs, shells)
            power = power[np.isfinite(power).all(1)]
            if len(power) == 0:
                continue
            low, middle, high = np.quantile(power, [0.16, 0.5, 0.84], axis=0)
            style = "--" if name not in (TRUTH, MODEL) else "-"
            axis.plot(k, middle, style, label=label(name), color=colour(name))
            if name in (TRUTH, MODEL):
                axis.fill_between(k, low, high, alpha=0.2, color=colour(name), linewidth=0)
        axis.axvspan(k[round(2 * len(k) / 3)], k[-1], color="grey", alpha=0.12, linewidth=0)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(with_unit(field.name, field.unit))
        axis.set_xlabel("wavenumber, cycles per unit length")
        axis.set_ylabel("power")
        axis.grid(alpha=0.3)
    figure.axes[0].legend()
    return figure


def rollout(result: Result) -> Figure | None:
    """Errors over lead time: medians over the windows, and the band from 16 to 84 %."""
    found = result.rollout
    if found is None:
        return None
    figure = new_figure(9, 3.4)
    for axis, curve in zip(panels(figure, 2), ("vrmse", "correlation"), strict=True):
        for name in found.curves:
            axis.plot(
                found.times,
                found.median(name, curve),
                ".-",
                label=label(name),
                color=colour(name),
            )
            low, high = found.band(name, curve)
            axis.fill_between(found.times, low, high, alpha=0.2, color=colour(name), linewidth=0)
        unit = result.system.time_unit
        axis.set_xlabel(with_unit("lead time", unit))
        axis.set_title(curve)
        axis.grid(alpha=0.3)
    figure.axes[1].axhline(CORRELATED, color="grey", linestyle=":")
    figure.axes[0].legend()
    return figure


def ranks(result: Result) -> Figure | None:
    """Rank histograms: flat where the truth is like one of the members."""
    found = result.ensemble
    if found is None:
        return None
    figure = grid_figure(len(found.ranks))
    for axis, (name, counts) in zip(
        panels(figure, len(found.ranks)), found.ranks.items(), strict=True
    ):
        axis.bar(np.arange(len(counts)), counts / counts.sum(), color=colour(MODEL))
        axis.axhline(1 / len(counts), color="black", linestyle=":")
        axis.set_title(name)
        axis.set_xlabel("members below the truth")
        axis.set_ylabel("share of cells")
    return figure


def training(records: list[dict[str, Any]]) -> Figure | None:
    """Losses and validation errors of a run over its steps."""
    kinds = {
        kind: [r for r in records if r.get("kind") == kind] for kind in ("train", "validation")
    }
    shown = {
        "train": [key for key in _keys(kinds["train"]) if "loss" in key],
        "validation": [key for key in _keys(kinds["validation"]) if key not in ("kind", "step")],
    }
    titles = {"train": "training losses", "validation": "validation errors"}
    drawn = [kind for kind, keys in shown.items() if keys]
    if not drawn:
        return None
    figure = new_figure(9, 3.4)
    for axis, kind in zip(panels(figure, len(drawn)), drawn, strict=True):
        lowest = np.inf
        for key in shown[kind]:
            points = [
                (r["step"], r[key]) for r in kinds[kind] if isinstance(r.get(key), int | float)
            ]
            steps, values = zip(*points, strict=True)
            axis.plot(steps, values, label=key, linewidth=2 if key in ("loss", "error") else 1)
            lowest = min(lowest, *values)
        if lowest > 0:
            axis.set_yscale("log")
        axis.set_xlabel("step")
        axis.set_title(titles[kind])
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    return figure


def _keys(records: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for record in records for key in record))
