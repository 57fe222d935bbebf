"""Frames drawn by captions beside the true ones, and how often they are recognised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from surrogate_training.text.steering import Drawn

TITLES = ("t1", "true t2", "drawn", "drawn")


def draw_page(
    examples: Mapping[str, list[Drawn]], cases: Mapping[str, dict[str, Any]], path: Path
) -> None:
    """Write a PNG: a block of frames a case, a row a caption, and its bars below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    page = Figure(figsize=(7.2 * len(examples), 13), layout="constrained")
    FigureCanvasAgg(page)
    blocks = page.subfigures(2, len(examples), height_ratios=(4.2, 1), squeeze=False)
    for column, (name, (true, *drawn)) in enumerate(examples.items()):
        block = blocks[0][column]
        block.suptitle(name)
        axes = block.subplots(len(true.captions), 4)
        for row, caption in enumerate(true.captions):
            frames = (true.u1[row], true.u2[row], *(d.u2[row] for d in drawn))
            for axis, title, frame in zip(axes[row], TITLES, frames, strict=True):
                _show(axis, frame, float(np.abs(true.u2[row]).max()))
                if row == 0:
                    axis.set_title(title)
            axes[row][0].set_ylabel(
                caption.replace(" flow", "\nflow").replace(" at", "\nat"), fontsize=9
            )
        _bars(blocks[1][column].subplots(), cases[name])
    page.savefig(path, dpi=70)


def _show(axis, frame: NDArray[np.float32], limit: float) -> None:  # noqa: ANN001 (matplotlib's Axes)
    """Three channels as a colour, one on a scale."""
    if len(frame) == 3:
        axis.imshow(np.clip(0.35 + 0.6 * np.moveaxis(frame, 0, 2), 0, 1), origin="lower")
    else:
        axis.imshow(frame[0], origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.set_xticks([])
    axis.set_yticks([])


def _bars(axis, case: dict[str, Any]) -> None:  # noqa: ANN001
    """Share of frames whose caption is found, by retrieval and by measure."""
    rows = {
        "true frames": case["truth"],
        **{f"drawn, {n} evaluations": d for n, d in case["drawn"].items()},
        "captions shuffled": case["shuffled"],
        "no caption": case["without_caption"],
    }
    if case["new_captions"]:
        rows["captions new to it"] = case["new_captions"]
    places = np.arange(len(rows))
    retrieved = [r["retrieval"]["caption_top1"] for r in rows.values()]
    axis.barh(places - 0.2, retrieved, 0.4, label="by retrieval, top 1")
    axis.barh(places + 0.2, [r["measure"]["all"] for r in rows.values()], 0.4, label="by measure")
    axis.axvline(1 / case["captions"], color="black", linestyle=":", label="chance")
    axis.set_yticks(places, rows)
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel("share of frames whose caption is found")
    axis.legend(fontsize=8)
