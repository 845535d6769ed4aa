"""A table over several pages: which tables are the same one, and which of the next page's rows are only the head again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from operator import eq
from typing import Self

from ocr_service.domain.blocks import Block, TableGrid
from ocr_service.domain.text import normalised
from ocr_service.outputs.markdown import grid_of

# Shares of the page's size.
_WIDTH_TOLERANCE = 0.05
_LOWEST_TOP, _HIGHEST_BOTTOM = 0.4, 0.6
_LONGEST_HEAD = 6
_ALIKE = 0.85
_LONGEST_COMPARED = 200

Size = tuple[int, int]
# The cells that begin in a row: column, spans, text.
_Row = tuple[tuple[int, int, int, str], ...]


@dataclass(slots=True)
class OpenTable:
    """A table that the next page may go on with. `last_part` is the block that was taken last, without a repeated head."""

    last_part: Block
    columns: int
    head: list[_Row]
    head_is_marked: bool
    width: float
    reaches_down: bool

    @classmethod
    def of(cls, block: Block, page_size: Size) -> Self:
        """A table block that ends a page of that size in pixels."""
        grid = grid_of(block) or TableGrid(0, 0, ())
        marked = _marked_rows(grid)
        return cls(
            last_part=block,
            columns=grid.columns,
            head=_head(grid, marked),
            head_is_marked=marked > 0,
            width=block.bbox.width / max(1, page_size[0]),
            reaches_down=block.bbox.y1 >= _HIGHEST_BOTTOM * page_size[1],
        )

    def take(self, block: Block, page_size: Size, *, is_announced: bool) -> bool:
        """Go on with a table that begins a page, if it is the same; then `last_part` holds its rows.

        `is_announced`: a caption («Продолжение таблицы 2») says so, and the table's place on the page need not.
        """
        grid = grid_of(block)
        if grid is None or grid.columns != self.columns:
            return False
        if not is_announced and not self._is_in_place(block, page_size):
            return False
        repeated = self._repeated_rows(grid)
        if not repeated and _marked_rows(grid) and self.head_is_marked:
            # A head of its own: another table.
            return False
        self.last_part = replace(block, table=_without_rows(grid, repeated))
        self.reaches_down = block.bbox.y1 >= _HIGHEST_BOTTOM * page_size[1]
        return True

    def _is_in_place(self, block: Block, page_size: Size) -> bool:
        same_width = abs(block.bbox.width / max(1, page_size[0]) - self.width) <= _WIDTH_TOLERANCE
        return same_width and self.reaches_down and block.bbox.y0 <= _LOWEST_TOP * page_size[1]

    def _repeated_rows(self, grid: TableGrid) -> int:
        """How many of the first rows are the head again: from its first row on, or from its row of column numbers on."""
        rows = _rows(grid, min(grid.rows, _LONGEST_HEAD))
        for count in range(min(len(rows), len(self.head)), 0, -1):
            if not _ends_between_rows(grid, count):
                continue
            # Only between heads that are marked as such: of ordinary rows, two that are nearly the same are two.
            same = _alike if self.head_is_marked and count <= _marked_rows(grid) else eq
            starts = [start for start in range(len(self.head) - count + 1) if same(self.head[start : start + count], rows[:count])]
            if any(start == 0 or _is_column_numbers(self.head[start]) for start in starts) and _has_text(rows[:count]):
                return count
        return 0


def _marked_rows(grid: TableGrid) -> int:
    """Rows from the top in which every cell is a head cell."""
    plain = [cell.row for cell in grid.cells if not cell.is_header]
    return min(plain, default=grid.rows)


def _head(grid: TableGrid, marked: int) -> list[_Row]:
    """The rows that may come again: those marked as head, else the first row with all that its cells reach; and the column numbers."""
    closed = (count for count in range(1, min(grid.rows, _LONGEST_HEAD) + 1) if _ends_between_rows(grid, count))
    count = marked or next(closed, 0)
    rows = _rows(grid, min(grid.rows, count + 1, _LONGEST_HEAD))
    return rows if len(rows) <= count or _is_column_numbers(rows[count]) else rows[:count]


def _rows(grid: TableGrid, count: int) -> list[_Row]:
    rows: list[list[tuple[int, int, int, str]]] = [[] for _ in range(count)]
    for cell in grid.cells:
        if cell.row < count:
            rows[cell.row].append((cell.column, cell.rowspan, cell.colspan, normalised(cell.text)))
    return [tuple(sorted(row)) for row in rows]


def _ends_between_rows(grid: TableGrid, count: int) -> bool:
    """Whether no cell reaches over the line below the first `count` rows."""
    return all(cell.row >= count or cell.row + cell.rowspan <= count for cell in grid.cells)


def _alike(first: list[_Row], second: list[_Row]) -> bool:
    """Whether the rows have the same cells; texts may differ by what OCR reads differently from page to page («кВт·ч», «кВт*ч»)."""
    if [[cell[:3] for cell in row] for row in first] != [[cell[:3] for cell in row] for row in second]:
        return False
    pairs = [(cell[3], other[3]) for row, others in zip(first, second, strict=True) for cell, other in zip(row, others, strict=True)]
    return all(one == other or _similarity(one, other) >= _ALIKE for one, other in pairs)


def _similarity(one: str, other: str) -> float:
    """0–1. A number is another number, however similar."""
    if any(char.isdigit() for char in one + other):
        return 0.0
    return SequenceMatcher(None, one[:_LONGEST_COMPARED], other[:_LONGEST_COMPARED], autojunk=False).ratio()


def _is_column_numbers(row: _Row) -> bool:
    """The row «1 | 2 | 3» below a head, which Russian forms repeat instead of the head."""
    return [text for *_, text in row] == [str(number) for number in range(1, len(row) + 1)]


def _has_text(rows: list[_Row]) -> bool:
    return any(text for row in rows for *_, text in row)


def _without_rows(grid: TableGrid, count: int) -> TableGrid:
    cells = tuple(replace(cell, row=cell.row - count) for cell in grid.cells if cell.row >= count)
    return TableGrid(grid.rows - count, grid.columns, cells)
