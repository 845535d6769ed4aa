"""A table grid as HTML, and back. The markup is minimal: rows, cells, spans; everything else is text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

from typing_extensions import override

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.table_rows import LARGEST_SPAN, RowCell, place
from ocr_service.domain.text import printable

OPEN, CLOSE = "<table>", "</table>"


def to_html(grid: TableGrid) -> str:
    """The table, a row a line; no blank line inside, so that it is one HTML block of Markdown."""
    return "\n".join([OPEN, *html_rows(grid), CLOSE])


def html_rows(grid: TableGrid) -> Iterator[str]:
    """`<tr>…</tr>` of each row."""
    by_row: dict[int, list[TableCell]] = {}
    for cell in grid.cells:
        by_row.setdefault(cell.row, []).append(cell)
    for row in range(grid.rows):
        cells = sorted(by_row.get(row, []), key=lambda cell: cell.column)
        yield f"<tr>{''.join(_cell_html(cell) for cell in cells)}</tr>"


def _cell_html(cell: TableCell) -> str:
    tag = "th" if cell.is_header else "td"
    rowspan = f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
    colspan = f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
    lines = (line.strip() for line in printable(cell.text).splitlines())
    text = "<br>".join(html.escape(line, quote=False) for line in lines if line)
    return f"<{tag}{rowspan}{colspan}>{text}</{tag}>"


def from_html(markup: str) -> TableGrid | None:
    """The first table in the markup as a grid, None where there is none.

    Missing cells become empty ones, spans that overlap or reach out of the table are cut: every position is covered once.
    """
    parser = _TableParser()
    parser.feed(markup)
    parser.close()
    return parser.grid()


class _RawCell:
    def __init__(self, attributes: Iterable[tuple[str, str | None]], *, is_header: bool) -> None:
        spans = dict(attributes)
        self.rowspan = _span(spans.get("rowspan"))
        self.colspan = _span(spans.get("colspan"))
        self.is_header = is_header
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self.parts).split("\n"))
        return "\n".join(line for line in lines if line)


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return max(1, min(int(digits), LARGEST_SPAN)) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 1


class _TableParser(HTMLParser):
    """Reads the first table; tables inside its cells count as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._depth = 0
        self._done = False
        self._in_head = False
        self._rows: list[list[_RawCell]] = []
        self._cell: _RawCell | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        if self._done or self._depth != 1:
            return
        if tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._start_row()
        elif tag in {"td", "th"}:
            if not self._rows:
                self._start_row()
            self._cell = _RawCell(attrs, is_header=tag == "th" or self._in_head)
            self._rows[-1].append(self._cell)
        elif tag in {"br", "p", "div"} and self._cell is not None:
            self._cell.parts.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            self._depth -= 1
            self._done = self._done or self._depth == 0
        if self._depth != 1:
            return
        if tag in {"td", "th", "tr"}:
            self._cell = None
        elif tag == "thead":
            self._in_head = False

    @override
    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._done:
            # Line ends in the markup are white space; only <br> and paragraphs are line ends.
            self._cell.parts.append(data.replace("\n", " ").replace("\r", " "))

    def _start_row(self) -> None:
        self._cell = None
        self._rows.append([])

    def grid(self) -> TableGrid | None:
        # A row without a cell stays: cells from above may cover all of it.
        return place([[RowCell(cell.text, cell.rowspan, cell.colspan, cell.is_header) for cell in row] for row in self._rows])
