"""The same report as PDF: pages of text and tables, then the figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surrogate_training.report.contents import Report, Section
from surrogate_training.report.style import new_figure
from surrogate_training.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 11.7, 8.3  # A4, landscape, inches
LINE = 0.028  # height of a line of text, of the page
CHARACTERS = 130


def write_pdf(report: Report, path: Path) -> None:
    """Write the pages."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path, metadata={"Title": f"{report.title}: evaluation"}) as pages:
        for figure in _pages(report):
            pages.savefig(figure)


def _pages(report: Report) -> Iterator[Figure]:
    page = _Page()
    page.text(report.title, size=18)
    page.text(f"Evaluation, {report.made}", size=9)
    page.text(report.verdict, size=11)
    for section in report.sections:
        yield from _section(page, section)
    page.text("Definitions", size=13)
    for name, text in report.definitions.items():
        if page.room < 2 * LINE:
            yield page.figure
            page.begin()
        page.text(f"{name.replace('_', ' ')}: {text}", size=8)
    yield page.figure


def _section(page: _Page, section: Section) -> Iterator[Figure]:
    """Full pages; the last one is still open afterwards."""
    if page.room < 8 * LINE:
        yield page.figure
        page.begin()
    page.text(section.title, size=13)
    if section.text:
        page.text(section.text, size=9)
    for table in section.tables:
        if page.room < page.height(table):
            yield page.figure
            page.begin()
        page.table(table)
    for _, figure in section.figures:
        yield figure
    # what follows begins a page of its own where figures went between


class _Page:
    """A page that fills from above."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Take a new sheet."""
        self.figure: Any = new_figure(WIDTH, HEIGHT)
        self.figure.set_layout_engine("none")
        self.room = 0.95

    def text(self, text: str, *, size: float) -> None:
        """Lines of text."""
        wrapped = textwrap.wrap(text, int(CHARACTERS * 9 / max(size, 9)))
        self.figure.text(0.05, self.room, "\n".join(wrapped), fontsize=size, va="top")
        self.room -= LINE * (len(wrapped) * max(size, 9) / 9 + 0.6)

    def height(self, table: Table) -> float:
        """Of a table with its title and note."""
        return LINE * (len(table.rows) + 4.5)

    def table(self, table: Table) -> None:
        """A table, its best numbers in bold."""
        self.text(table.title, size=10)
        top = self.room
        lines = [table.head, *table.rows] if any(table.head) else list(table.rows)
        first = 0.18 if len(lines[0]) > 2 else 0.22
        for number, row in enumerate(lines):
            for column, cell in enumerate(row):
                x = 0.05 + (first + (column - 1) * 0.14 if column else 0.0)
                heavy = number == 0 and any(table.head)
                heavy = heavy or (number - any(table.head), column) in table.best
                weight = "bold" if heavy else "normal"
                self.figure.text(x, top, cell, fontsize=8, va="top", fontweight=weight)
            top -= LINE * 0.85
        self.room = top - 0.3 * LINE
        if table.note:
            self.text(table.note, size=8)
