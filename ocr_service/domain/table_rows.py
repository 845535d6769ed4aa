"""Rows of cells with spans, as HTML and models write tables, become a grid in which every position is covered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.geometry import BBox

# HTML's own limits (1000 columns, 65534 rows) are far more than a page holds; a model's answer may claim anything.
LARGEST_SPAN = 1000
_LARGEST_TABLE = 100_000


@dataclass(frozen=True, slots=True)
class RowCell:
    """A cell as it stands in its row, without a column of its own yet. Spans are 1 to LARGEST_SPAN."""

    text: str
    rowspan: int = 1
    colspan: int = 1
    is_header: bool = False
    bbox: BBox | None = None


def place(rows: Sequence[Sequence[RowCell]]) -> TableGrid | None:
    """HTML's table model: a cell goes to the first free position of its row, and covers what its spans say.

    Missing cells become empty ones, spans that overlap or reach out of the table are cut. None without any cell, or for a table too
    large to be one.
    """
    if not any(rows):
        return None
    taken: set[tuple[int, int]] = set()
    cells: list[TableCell] = []
    for row, row_cells in enumerate(rows):
        column = 0
        for cell in row_cells:
            while (row, column) in taken:
                column += 1
            colspan = _free_run(taken, row, column, cell.colspan)
            rowspan = min(cell.rowspan, len(rows) - row)
            if len(taken) + rowspan * colspan > _LARGEST_TABLE:
                return None
            # Rows above are full only up to here, so positions below are free in every column that is free in this row.
            taken.update((row + down, column + right) for down in range(rowspan) for right in range(colspan))
            cells.append(TableCell(row, column, cell.text, rowspan, colspan, cell.is_header, cell.bbox))
            column += colspan
    columns = 1 + max(column for _, column in taken)
    if len(rows) * columns > _LARGEST_TABLE:
        return None
    free = ((row, column) for row in range(len(rows)) for column in range(columns) if (row, column) not in taken)
    cells.extend(TableCell(row, column, "") for row, column in free)
    return TableGrid(len(rows), columns, tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))))


def _free_run(taken: set[tuple[int, int]], row: int, column: int, wanted: int) -> int:
    width = 1
    while width < wanted and (row, column + width) not in taken:
        width += 1
    return width
