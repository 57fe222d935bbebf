"""What generative models must reach at few evaluations, and whether each row does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

EVALUATIONS = 4
RMSE, CRPS, SPECTRUM, SPREAD = 1.05, 0.85, 0.5, (0.8, 1.2)
"""Largest shares of regression's RMSE, of the best deterministic MAE, of regression's spectrum error; spread/skill."""


def judge(rows: Sequence[Row]) -> dict[str, Any]:
    """What each ensemble of one problem reaches at no more than `EVALUATIONS`, and the best that meets all targets.

    Parameters
    ----------
    rows : sequence of dict
        Of one problem, regression among them.
    """
    regression = next((row for row in rows if row["method"] == "regression"), None)
    if regression is None:
        return {"judged": [], "met": None}
    deterministic = min(row["mae"] for row in rows if row["spread_skill"] is None)
    judged = []
    for row in rows:
        if row["spread_skill"] is None or row["nfe"] > EVALUATIONS:
            continue
        ratios = {
            "rmse": row["rmse"] / regression["rmse"],
            "crps": row["crps"] / deterministic,
            "spectrum_error": row["spectrum_error"] / regression["spectrum_error"],
            "spread_skill": row["spread_skill"],
        }
        met = {
            "rmse": ratios["rmse"] <= RMSE,
            "crps": ratios["crps"] <= CRPS,
            "spectrum_error": ratios["spectrum_error"] <= SPECTRUM,
            "spread_skill": SPREAD[0] <= ratios["spread_skill"] <= SPREAD[1],
        }
        judged.append({"method": row["method"], "nfe": row["nfe"], "ratios": ratios, "met": met})
    whole = [one for one in judged if all(one["met"].values())]
    best = min(whole, key=lambda one: one["ratios"]["crps"], default=None)
    return {
        "best_deterministic_mae": deterministic,
        "judged": judged,
        "met": bool(whole),
        "best": None if best is None else {key: best[key] for key in ("method", "nfe")},
    }
