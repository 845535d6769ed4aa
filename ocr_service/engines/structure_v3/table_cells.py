"""A recognised table becomes a grid: the structure from its HTML, the places from its cells' boxes, no line of text left out.

The HTML is made by pasting: cell texts are not escaped ("a<b" stays as it is), it comes with and without a wrapper, with and without blanks
between tags. So it is read for what it is, the structure model's own tags with anything between them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.domain.table_rows import LARGEST_SPAN, RowCell, place
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.structure_v3.raw import Corners, RawTable
from ocr_service.engines.tables.cells import Span
from ocr_service.engines.tables.fill import fill, with_header
from ocr_service.engines.tables.ruled import RuledCell, RuledTable
from ocr_service.engines.text_layer.trust import letter_pairs

_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r'<td((?:\s+(?:col|row)span="\d{1,4}")*)\s*>(.*?)</td>', re.DOTALL)
_SPAN = re.compile(r'(col|row)span="(\d+)"')
_HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
# What the library itself pastes into cells: emphasis, and a picture by a file name that exists nowhere.
_PASTED = re.compile(r'</?b>|<div style="text-align: center;"><img src="imgs/[^"]*" alt="Image"[^>]*/></div>')
# Cells of one row differ in height, and their edges in the detector's mood.
_SAME_PLACE = 0.5
# Of a line's pairs of letters that have to be found in the table; the cells are read a second time, so the readings differ a little.
_FOUND = 0.5


def grid_of(raw: RawTable) -> TableGrid | None:
    """The table's grid, cells with their boxes where these are beyond doubt; None where the HTML has no cell."""
    head_rows = sum(len(_ROW.findall(head)) for head in _HEAD.findall(raw.html))
    rows = [
        [_row_cell(attributes, text, is_header=index < head_rows) for attributes, text in _CELL.findall(row)]
        for index, row in enumerate(_ROW.findall(raw.html))
    ]
    boxes = _in_rows(raw.cells, [len(row) for row in rows])
    if boxes is not None:
        placed = iter(boxes)
        rows = [[replace(cell, bbox=next(placed)) for cell in row] for row in rows]
    grid = place(rows)
    if grid is None or head_rows:
        return grid
    return with_header(grid.rows, grid.columns, grid.cells)


def with_all_lines(grid: TableGrid, lines: Sequence[PageLine]) -> tuple[TableGrid, int]:
    """The grid with the lines that the table model forgot, and how many those were.

    A forgotten line goes to the cell that holds most of it, or to the last cell where no cell has a place.
    """
    cells = list(grid.cells)
    forgotten = [line for line in lines if not _is_in(line, cells)]
    for line in forgotten:
        home = max(range(len(cells)), key=lambda index: (_shared(cells[index], line), index))
        cells[home] = replace(cells[home], text=_joined(cells[home], line))
    return replace(grid, cells=tuple(cells)), len(forgotten)


def with_text_of(grid: TableGrid, bbox: BBox, lines: Sequence[PageLine]) -> TableGrid | None:
    """The same grid with the text of other lines (those of the file's own text); None where its cells have no places."""
    ruled = []
    for cell in grid.cells:
        if cell.bbox is None:
            return None
        ruled.append(RuledCell(Span(cell.row, cell.column, cell.rowspan, cell.colspan), cell.bbox))
    return fill(RuledTable(bbox, grid.rows, grid.columns, tuple(ruled)), [word for line in lines for word in line.words])


def _row_cell(attributes: str, text: str, *, is_header: bool) -> RowCell:
    spans = {way: max(1, min(int(count), LARGEST_SPAN)) for way, count in _SPAN.findall(attributes)}
    content = " ".join(_PASTED.sub(" ", text).split())
    return RowCell(content, spans.get("row", 1), spans.get("col", 1), is_header)


def _in_rows(cells: Iterable[Corners], counts: Sequence[int]) -> list[BBox] | None:
    """The boxes in the order of the HTML's cells, None where they do not fit: another number, or rows that are none."""
    boxes = sorted((BBox(*cell) for cell in cells), key=lambda box: box.y0)
    if not boxes or len(boxes) != sum(counts):
        return None
    ordered: list[BBox] = []
    for count in counts:
        row = sorted(boxes[len(ordered) : len(ordered) + count], key=lambda box: box.x0)
        if row and not _is_row(row):
            return None
        ordered += row
    return ordered


def _is_row(row: Sequence[BBox]) -> bool:
    """Whether the boxes begin on one height and stand beside each other."""
    lowest = min(box.height for box in row)
    tops = [box.y0 for box in row]
    beside = all(right.x0 - left.x0 > _SAME_PLACE * min(left.width, right.width) for left, right in pairwise(row))
    return beside and max(tops) - min(tops) <= _SAME_PLACE * lowest


def _is_in(line: PageLine, cells: Sequence[TableCell]) -> bool:
    """Whether the cells that the line touches (all, where none has a place) say what it says."""
    near = [cell for cell in cells if cell.bbox is None or cell.bbox.intersection(line.bbox) > 0]
    wanted = letter_pairs(line.text.split())
    there: Counter[str] = letter_pairs(" ".join(cell.text for cell in near).split())
    # What has no letter at all (a dash, a tick) is compared as it is.
    if not wanted:
        return any(line.text in cell.text for cell in near)
    return (wanted & there).total() >= _FOUND * wanted.total()


def _joined(cell: TableCell, line: PageLine) -> str:
    """The cell's text and the line's, the upper one first."""
    is_above = cell.bbox is not None and line.bbox.center.y < cell.bbox.center.y
    return "\n".join([line.text, cell.text] if is_above else [cell.text, line.text]).strip()


def _shared(cell: TableCell, line: PageLine) -> float:
    return 0.0 if cell.bbox is None else cell.bbox.intersection(line.bbox)
