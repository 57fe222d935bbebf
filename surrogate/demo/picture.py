"""The demo's picture: t1, true t2, predicted t2 and the error, every field, with units and shared scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surrogate.demo.experiment import Case

LABELS = {
    "rho": r"density $\rho$",
    "vx": r"velocity $v_x$",
    "vy": r"velocity $v_y$",
    "p": r"pressure $p$",
    "bx": r"field $B_x$",
    "by": r"field $B_y$",
}
UNITS = {"rho": r"$\rho_0$", "vx": "$v_0$", "vy": "$v_0$", "p": r"$\rho_0 v_0^2$"}
FIELD_UNIT = r"$v_0\sqrt{\mu_0\rho_0}$"


def draw(case: Case, step: float, path: Path) -> None:
    """Write a PNG with a row for each field. All panels of a row share the width of one colour scale."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    frames = [frame.scored() for frame in case.frames]
    figure, axes = plt.subplots(len(LABELS), 4, figsize=(11.5, 15.5), layout="constrained")
    titles = (
        f"$t_1$ = {case.t1:g}",
        f"true $t_2$ = {case.t1 + step:g}",
        "predicted $t_2$",
        "predicted − true",
    )
    for row, (name, label) in zip(axes, LABELS.items(), strict=True):
        before, true, predicted = (frame[name] for frame in frames)
        low, high = float(min(before.min(), true.min())), float(max(before.max(), true.max()))
        half = 0.5 * (high - low)
        colours = {"cmap": "viridis", "vmin": low, "vmax": high}
        for axis, field in zip(row, (before, true, predicted), strict=False):
            image = axis.imshow(field, origin="lower", extent=(0, 1, 0, 1), **colours)
        error = row[3].imshow(
            predicted - true,
            origin="lower",
            extent=(0, 1, 0, 1),
            cmap="RdBu_r",
            vmin=-half,
            vmax=half,
        )
        unit = UNITS.get(name, FIELD_UNIT)
        figure.colorbar(image, ax=row[2], label=unit)
        figure.colorbar(error, ax=row[3], label=f"{unit} (same span)")
        relative = np.sqrt(np.mean((predicted - true) ** 2)) / true.std()
        row[3].set_xlabel(
            f"rms {relative:.3f} of std, persistence {case.persistence[name]:.3f}", fontsize=8
        )
        row[0].set_ylabel(label)
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    figure.suptitle(
        f"mhd2d, 128², seed {case.seed}: one jump of {step:g} by the surrogate against {case.steps} solver steps"
    )
    figure.savefig(path, dpi=80)
    plt.close(figure)
