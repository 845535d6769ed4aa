"""A cell as wide as its table that holds a table itself: a bad copy lost the lines inside it, and its rows are found from the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby

from ocr_service.domain.geometry import BBox
from ocr_service.engines.tables.ruled import RuledCell, RuledTable


@dataclass(frozen=True, slots=True)
class Parts:
    """A ruled table in pieces from the top: `ruled` ones, and the boxes of those whose lines are lost."""

    ruled: tuple[RuledTable, ...]
    undivided: tuple[BBox, ...]


def without_undivided(table: RuledTable, is_tabular: Callable[[BBox], bool]) -> Parts:
    """The table taken apart at its cells from border to border that `is_tabular` says hold rows and columns of text; neighbours are one."""
    lost = {row for cell in table.cells if cell.span.colspan == table.columns > 1 and is_tabular(cell.bbox) for row in _rows_of(cell)}
    ruled, undivided = [], []
    for is_lost, group in groupby(range(table.rows), key=lost.__contains__):
        rows = list(group)
        cells = [cell for cell in table.cells if cell.span.row in rows]
        bbox = BBox.around(cell.bbox for cell in cells)
        if is_lost:
            undivided.append(bbox)
        else:
            shifted = tuple(replace(cell, span=cell.span._replace(row=cell.span.row - rows[0])) for cell in cells)
            ruled.append(RuledTable(bbox, len(rows), table.columns, shifted))
    return Parts(tuple(ruled), tuple(undivided))


def _rows_of(cell: RuledCell) -> range:
    return range(cell.span.row, cell.span.row + cell.span.rowspan)
