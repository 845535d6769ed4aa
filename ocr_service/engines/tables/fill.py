"""Words into the cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.headers import header_rows
from ocr_service.engines.tables.lines import text_of
from ocr_service.engines.tables.ruled import RuledTable


def fill(table: RuledTable, words: Sequence[Word]) -> TableGrid:
    """The table with its text. A word goes to the cell that holds most of it; words outside the table are left out."""
    inside: list[list[Word]] = [[] for _ in table.cells]
    boxes = [cell.bbox for cell in table.cells]
    for word in words:
        home = _home(word.bbox, boxes, table.bbox)
        if home is not None:
            inside[home].append(word)
    cells = [
        TableCell(cell.span.row, cell.span.column, text_of(held), cell.span.rowspan, cell.span.colspan, bbox=cell.bbox)
        for cell, held in zip(table.cells, inside, strict=True)
    ]
    return with_header(table.rows, table.columns, cells)


def with_header(rows: int, columns: int, cells: Sequence[TableCell]) -> TableGrid:
    """The grid with its head's cells marked."""
    depth = header_rows(rows, columns, cells)
    return TableGrid(rows, columns, tuple(replace(cell, is_header=cell.row < depth) for cell in cells))


def _home(word: BBox, boxes: Sequence[BBox], table: BBox) -> int | None:
    if not table.contains(word.center):
        return None
    shares = [word.intersection(box) for box in boxes]
    best = max(range(len(boxes)), key=shares.__getitem__)
    return best if shares[best] > 0 else None
