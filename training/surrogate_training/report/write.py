"""The folder of a report: ``metrics.csv``, ``summary.json``, ``report.pdf`` and, last of all, ``report.html``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from surrogate.whole import write_text
from surrogate_training.evaluation.result import Result
from surrogate_training.evaluation.table import write_table
from surrogate_training.report.contents import make_report
from surrogate_training.report.html import to_html
from surrogate_training.report.pdf import write_pdf

HTML, PDF, CSV, SUMMARY = "report.html", "report.pdf", "metrics.csv", "summary.json"


def write_report(
    result: Result,
    summary: dict[str, Any],
    out: Path,
    *,
    facts: dict[str, str],
    records: list[dict[str, Any]] | None = None,
) -> Path:
    """Write everything and return the page; a folder with ``report.html`` is whole.

    Parameters
    ----------
    result, summary, facts, records
        As of :func:`make_report`.
    out : Path
        Made if it is not there; an older report in it is replaced.
    """
    report = make_report(result, summary, facts=facts, records=records)
    out.mkdir(parents=True, exist_ok=True)
    page = out / HTML
    page.unlink(missing_ok=True)
    write_table(result, out / CSV)
    (out / SUMMARY).write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
    write_pdf(report, out / PDF)
    write_text(page, to_html(report))
    return page
