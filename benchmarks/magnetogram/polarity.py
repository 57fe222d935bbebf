"""Polarity symmetry: the equation is linear in Br, so -Br and -S under the same flow give the opposite frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from surrogate_training.data.pairs import PairSet
from surrogate_training.evaluation.predictors import BundlePredictor
from surrogate_training.evaluation.system import system_of_bundle

from surrogate.bundle.folder import check_bundle

ODD = ("br", "source")


def polarity_error(bundle: Path, pairs: PairSet, *, count: int = 60) -> dict[str, float]:
    """How far a model is from f(-u) = -f(u), beside how far it is from the truth.

    Returns
    -------
    dict of str to float
        ``asymmetry``: mean over pairs of ||f(u) + f(-u)|| / (2 ||u2||), 0 for an odd model. ``relative_l2`` of f(u),
        and ``symmetrised`` of (f(u) - f(-u)) / 2, which is odd by construction.
    """
    names = [field.name for field in pairs.data.fields]
    sign = np.array([-1 if name in ODD else 1 for name in names], np.float32)[:, None, None]
    manifest = check_bundle(bundle)
    system = system_of_bundle(manifest, bundle)
    rows = []
    with BundlePredictor(bundle, manifest, system, seed=0) as model:
        for index in pairs.spread(count):
            u1, u2 = pairs.pair(index)  # (C, ny, nx) each
            truth = system.predicted(u2)  # (1, ny, nx)
            plain, turned = (model.predict(u, None, step=0)[0] for u in (u1, sign * u1))
            if plain is None or turned is None:
                continue  # not finite: the scores count it
            size = np.linalg.norm(truth)
            errors = (plain - truth, 0.5 * (plain - turned) - truth)
            rows.append(
                [np.linalg.norm(plain + turned) / 2 / size]
                + [np.linalg.norm(e) / size for e in errors]
            )
    means = np.mean(rows, axis=0)
    return dict(zip(("asymmetry", "relative_l2", "symmetrised"), map(float, means), strict=True))
