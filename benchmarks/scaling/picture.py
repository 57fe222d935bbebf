"""The benchmark's picture: strong and weak scaling as measured, and the projection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MARKERS = {"tiles": "o", "gather": "s", "batch": "^"}


def draw(result: dict[str, Any], path: Path) -> None:
    """Write a PNG of three panels."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.3), layout="constrained")
    ny, nx = result["strong"]["domain"]
    _measured(axes[0], result["modes"], f"strong: {ny} x {nx} cells")
    serial = result["strong"]["serial"]["seconds_per_jump"]
    ranks = sorted(int(p) for p in result["modes"]["tiles"])
    axes[0].plot(
        ranks, [1e3 * serial / p for p in ranks], ":", color="grey", label="one core / ranks"
    )
    side = result["weak"]["block"][0]
    _measured(axes[1], result["weak"]["modes"], f"weak: {side} x {side} cells a rank")
    for axis in axes[:2]:
        axis.set(xscale="log", yscale="log", xlabel="ranks (hollow: more ranks than cores)")
        axis.set_xticks(ranks, [str(p) for p in ranks])
        axis.minorticks_off()
        low, high = axis.get_ylim()
        ticks = [
            m * 10**e for e in range(0, 5) for m in (1, 2, 3, 5, 7) if low <= m * 10**e <= high
        ]
        axis.set_yticks(ticks, [str(tick) for tick in ticks])
        axis.legend(fontsize=8)
    _projected(axes[2], result["projection"])
    figure.suptitle(
        f"{result['environment']['cpu']}, {result['environment']['cores']} cores", fontsize=10
    )
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _measured(axis: Any, modes: dict[str, Any], title: str) -> None:
    for mode, rows in modes.items():
        ranks = sorted(int(p) for p in rows)
        found = [rows[str(p)] for p in ranks]
        middle = [1e3 * row["seconds_per_jump"] for row in found]
        below = [m - 1e3 * row["spread"][0] for m, row in zip(middle, found, strict=True)]
        above = [1e3 * row["spread"][1] - m for m, row in zip(middle, found, strict=True)]
        line = axis.errorbar(ranks, middle, (below, above), capsize=2, label=mode)
        for p, m, row in zip(ranks, middle, found, strict=True):
            filled = "white" if row["oversubscribed"] else line[0].get_color()
            axis.plot(p, m, MARKERS[mode], color=line[0].get_color(), markerfacecolor=filled)
    axis.set(title=title, ylabel="ms a jump (median, quartiles)")


def _projected(axis: Any, projection: dict[str, Any]) -> None:
    for name, net in projection["nets"].items():
        ranks = [row["ranks"] for row in net["rows"]]
        for kind, style in (("weak", "--"), ("strong", "-.")):
            size = net["weak_block"] if kind == "weak" else net["strong_domain"]
            where = f"{size}² a rank" if kind == "weak" else f"{size}²"
            efficiency = [row[kind]["efficiency"] for row in net["rows"]]
            axis.plot(ranks, efficiency, style, label=f"{name}, {kind}, {where}")
    axis.set(xscale="log", ylim=(0, 1.05), xlabel="ranks", ylabel="parallel efficiency of tiles")
    axis.set_title("PROJECTION from measured parts, never run")
    axis.legend(fontsize=7)
