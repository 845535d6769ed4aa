"""OTSL, PaddleOCR-VL's language of tables, as a grid.

`<fcel>` a cell, `<ecel>` an empty one, `<lcel>` belongs to the cell on its left, `<ucel>` to the one above, `<xcel>` to both (the inside of
a cell of several rows and columns), `<nl>` ends a row. Whatever a model makes of it becomes a whole grid without losing text: rows get
one length, a merge that leads nowhere is an empty cell, text behind a merge makes it a cell of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr_service.domain.blocks import TableCell, TableGrid

_TAG = re.compile(r"<(fcel|ecel|lcel|ucel|xcel|nl)>")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MERGES = {"lcel", "ucel", "xcel"}
_LARGEST_TABLE = 100_000


@dataclass(frozen=True, slots=True)
class OtslTable:
    """`outside`: text before the first cell or between a row's end and the next cell, which the grid does not hold."""

    grid: TableGrid | None
    outside: str


@dataclass(frozen=True, slots=True)
class _Cell:
    tag: str
    text: str = ""

    @property
    def merges(self) -> bool:
        return self.tag in _MERGES and not self.text


_EMPTY = _Cell("ecel")


def is_otsl(text: str) -> bool:
    return _TAG.search(text) is not None


def read_otsl(text: str) -> OtslTable:
    """The grid; None where there is no cell, or more of them than on any page."""
    rows, outside = _rows(text)
    width = _width(rows)
    if not width or width * len(rows) > _LARGEST_TABLE:
        return OtslTable(None, outside)
    rows = [[*row[:width], *[_EMPTY] * (width - len(row))] for row in rows]
    return OtslTable(TableGrid(len(rows), width, tuple(_placed(rows, width))), outside)


def _rows(text: str) -> tuple[list[list[_Cell]], str]:
    first, *pieces = _TAG.split(text)
    rows: list[list[_Cell]] = [[]]
    outside = [first]
    for tag, content in zip(pieces[::2], pieces[1::2], strict=True):
        if tag == "nl":
            rows.append([])
            outside.append(content)
        else:
            rows[-1].append(_Cell(tag, _cell_text(content)))
    # A line end after a line end is no row.
    return [row for row in rows if row], " ".join(" ".join(outside).split())


def _cell_text(content: str) -> str:
    lines = (" ".join(line.split()) for line in _LINE_BREAK.sub("\n", content).split("\n"))
    return "\n".join(line for line in lines if line)


def _width(rows: Sequence[Sequence[_Cell]]) -> int:
    """The number of columns that most rows agree with, as PaddleX chooses it; never so few that text is cut off. 0: no cell at all."""
    lengths = Counter(len(row) for row in rows)
    needed = max((index + 1 for row in rows for index, cell in enumerate(row) if cell.text or cell.tag == "fcel"), default=1)
    # The sum of the distances is least at a length that occurs, or at the bound.
    candidates = sorted({needed, *(length for length in lengths if length > needed)})
    return min(candidates, key=lambda width: sum(count * abs(length - width) for length, count in lengths.items())) if rows else 0


def _placed(rows: Sequence[Sequence[_Cell]], width: int) -> Iterator[TableCell]:
    taken: set[tuple[int, int]] = set()
    for row, cells in enumerate(rows):
        for column in range(width):
            if (row, column) in taken:
                continue
            cell = cells[column]
            colspan, rowspan = (1, 1) if cell.merges else _spans(rows, row, column, taken)
            taken.update((row + down, column + right) for down in range(rowspan) for right in range(colspan))
            yield TableCell(row, column, cell.text, rowspan, colspan)


def _spans(rows: Sequence[Sequence[_Cell]], row: int, column: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    """How far the cell reaches: to the right over `<lcel>`, then down as long as all of its width belongs to something above."""
    cells = rows[row]
    end = column + 1
    while end < len(cells) and cells[end].tag == "lcel" and cells[end].merges and (row, end) not in taken:
        end += 1
    below = row + 1
    while below < len(rows) and _continues(rows[below][column:end]):
        below += 1
    return end - column, below - row


def _continues(cells: Sequence[_Cell]) -> bool:
    """Whether this stretch of a row belongs to the cell above it: `<ucel>`, and `<xcel>` (or, said less exactly, a merge) after it."""
    return cells[0].merges and cells[0].tag == "ucel" and all(cell.merges for cell in cells[1:])
