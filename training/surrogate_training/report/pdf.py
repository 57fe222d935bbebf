"""The same report as PDF: text, tables and figures, one below the other on A4 pages."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surrogate_training.report.contents import Picture, Report, Section
from surrogate_training.report.style import new_figure
from surrogate_training.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 8.27, 11.69  # A4, inches
MARGIN = 0.06  # of the page, to each side
LINE = 0.0165  # height of a line of 9 points, of the page
CHARACTERS = 105  # of a line of 9 points


def write_pdf(report: Report, path: Path) -> None:
    """Write the pages."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path, metadata={"Title": f"{report.title}: evaluation"}) as pages:
        for figure in paginate(report):
            pages.savefig(figure)


def paginate(report: Report) -> Iterator[Figure]:
    """The pages, each when it is full."""
    page = _Page()
    page.text(report.title, size=18)
    page.text(f"Evaluation, {report.made}", size=9)
    page.text(report.verdict, size=11)
    for section in report.sections:
        yield from _add(page, section)
    yield from page.turn(4 * LINE)
    page.text("Definitions", size=13)
    for name, text in report.definitions.items():
        yield from page.turn(3 * LINE)
        page.text(f"{name.replace('_', ' ')}: {text}", size=8)
    yield page.sheet


def _add(page: _Page, section: Section) -> Iterator[Figure]:
    """Add a section; pages that are full come out."""
    yield from page.turn(10 * LINE)
    page.text(section.title, size=13)
    if section.text:
        page.text(section.text, size=9)
    for table in section.tables:
        yield from page.turn(LINE * (len(table.rows) + 4.5))
        page.table(table)
    for picture in section.pictures:
        yield from page.turn(min(page.height(picture), 1 - 2 * MARGIN))
        page.image(picture)


class _Page:
    """A page that fills from above; ``room`` is the height above its lower margin, as a share of the page."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.sheet: Any = new_figure(WIDTH, HEIGHT)
        self.sheet.set_layout_engine("none")
        self.top = 1 - MARGIN

    def turn(self, wanted: float) -> Iterator[Figure]:
        """Give the page out and begin another unless it has so much room."""
        if self.top - MARGIN < wanted - 1e-9:
            yield self.sheet
            self._begin()

    def text(self, text: str, *, size: float) -> None:
        """Add lines."""
        wrapped = textwrap.wrap(text, int(CHARACTERS * 9 / size))
        self.sheet.text(MARGIN, self.top, "\n".join(wrapped), fontsize=size, va="top")
        self.top -= LINE * (len(wrapped) * size / 9 + 0.6)

    def table(self, table: Table) -> None:
        """Add a table, its best numbers in bold."""
        self.text(table.title, size=10)
        headed = any(table.head)
        lines = [table.head, *table.rows] if headed else list(table.rows)
        first = 0.2 if len(lines[0]) > 2 else 0.25
        width = (1 - 2 * MARGIN - first) / max(len(lines[0]) - 1, 1)
        for number, row in enumerate(lines):
            for column, cell in enumerate(row):
                x = MARGIN + (first + (column - 1) * width if column else 0.0)
                heavy = (headed and number == 0) or (number - headed, column) in table.best
                weight = "bold" if heavy else "normal"
                self.sheet.text(x, self.top, cell, fontsize=7.5, va="top", fontweight=weight)
            self.top -= LINE * 0.9
        self.top -= 0.5 * LINE
        if table.note:
            self.text(table.note, size=8)

    def height(self, picture: Picture) -> float:
        """Of a picture as wide as the text, as a share of the page."""
        return (1 - 2 * MARGIN) * WIDTH * picture.aspect / HEIGHT

    def image(self, picture: Picture) -> None:
        """Add a picture, made smaller where it is taller than the page has room."""
        import matplotlib.image

        height = min(self.height(picture), self.top - MARGIN)
        axes = self.sheet.add_axes((MARGIN, self.top - height, 1 - 2 * MARGIN, height))
        axes.imshow(matplotlib.image.imread(io.BytesIO(picture.png)), interpolation="none")
        axes.axis("off")
        self.top -= height + 0.5 * LINE
