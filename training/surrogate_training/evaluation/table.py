"""``metrics.csv``: a row a pair, every number of every method and field."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from surrogate_training.evaluation.result import Result
from surrogate_training.evaluation.scores import METRICS


def write_table(result: Result, path: Path) -> None:
    """Write the rows; columns are ``METHOD.FIELD.METRIC``, in the field's unit; what has no meaning is empty."""
    names = [
        f"{method}.{field}.{metric}"
        for method in result.methods
        for field in result.system.names
        for metric in METRICS
    ]
    errors = result.errors()
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["pair", "run", "file", "frame", "time", "refused_by", "error", *names])
        for row, pair in enumerate(result.pairs):
            values = [
                value
                for method in result.methods
                for field in result.scores[method][row].tolist()
                for value in field
            ]
            writer.writerow(
                [row, pair.run, pair.file, pair.frame, pair.time, " ".join(pair.refused)]
                + [_text(value) for value in (float(errors[row]), *values)]
            )


def _text(value: float) -> str:
    return f"{value:.9g}" if math.isfinite(value) else ""
