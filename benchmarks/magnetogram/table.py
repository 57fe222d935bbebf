"""README's table of the full magnetogram run, from its recorded result: ``python benchmarks/magnetogram/table.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
METRICS = {
    "rmse": ".2f",
    "relative_l2": ".3f",
    "vrmse": ".3f",
    "ssim": ".3f",
    "spectrum_error": ".2f",
}
RIVALS = {
    "coarse": "solver at half resolution",
    "persistence": "persistence",
    "linear_extrapolation": "linear extrapolation",
    "mean": "training mean",
}


def main() -> None:
    """Print Markdown."""
    results = [json.loads(path.read_text()) for path in RESULTS.glob("magnetogram_*.json")]
    print(table(max(results, key=lambda result: str(result["environment"]["date"]))))


def table(result: dict[str, Any]) -> str:
    """A row a way to t2."""
    models = {
        "regression": "regression, residual U-Net",
        "pix2pix": "pix2pix, unet_128 of half the width",
        "regression_unet": "regression, pix2pix's net",
    }
    rows = [
        _row(f"{text}, {result[name]['training']['parameters'] / 1e6:.2g} M", result[name]["model"])
        for name, text in models.items()
    ]
    rows += [_row(text, result["regression"][name]) for name, text in RIVALS.items()]
    head = "| way to t2 | RMSE, Mx/cm² | relative L2 | VRMSE | SSIM | spectrum error |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows])


def _row(name: str, scores: dict[str, float | None]) -> str:
    cells = ("–" if scores[m] is None else format(scores[m], f) for m, f in METRICS.items())
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
