"""Columns that the layout model tore off a table without rulings and called text: they are given back to the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine, rows

# Prose beside a table may happen to stand on the same rows; rows of figures hardly do.
_FEWEST_ROWS = 4
_SAME_HEIGHT = 0.8
_ALIGNED_SHARE = 0.8
_WITH_DIGITS_SHARE = 0.7
# In heights of a line.
_ALIGNED_WITHIN = 0.5


def widened(tables: Sequence[Region], texts: Sequence[Region], lines: Sequence[PageLine]) -> list[Region]:
    """The tables, each with the text regions that continue its rows to the left or right. Its kind stays what it was."""
    result = list(tables)
    for text in texts:
        for index, table in enumerate(result):
            if _beside(table.bbox, text.bbox) and _continues(table.bbox, text.bbox, lines):
                result[index] = replace(table, bbox=BBox.around([table.bbox, text.bbox]))
                break
    return result


def _beside(one: BBox, other: BBox) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    apart = one.x1 <= other.x0 or other.x1 <= one.x0
    return apart and shared >= _SAME_HEIGHT * max(one.height, other.height)


def _continues(table: BBox, column: BBox, lines: Sequence[PageLine]) -> bool:
    """Whether the rows of both are the same rows, and most of the column's are figures."""
    table_rows, column_rows = ([_middle(row) for row in rows(_inside(box, lines))] for box in (table, column))
    if min(len(table_rows), len(column_rows)) < _FEWEST_ROWS:
        return False
    height = min(line.bbox.height for line in _inside(column, lines))
    texts = [" ".join(line.text for line in row) for row in rows(_inside(column, lines))]
    with_digits = sum(any(character.isdigit() for character in text) for text in texts)
    return (
        _share_aligned(table_rows, column_rows, height) >= _ALIGNED_SHARE
        and _share_aligned(column_rows, table_rows, height) >= _ALIGNED_SHARE
        and with_digits >= _WITH_DIGITS_SHARE * len(texts)
    )


def _inside(box: BBox, lines: Sequence[PageLine]) -> list[PageLine]:
    return [line for line in lines if box.contains(line.bbox.center)]


def _middle(row: Sequence[PageLine]) -> float:
    return BBox.around(line.bbox for line in row).center.y


def _share_aligned(of: Sequence[float], to: Sequence[float], height: float) -> float:
    return sum(any(abs(one - other) <= _ALIGNED_WITHIN * height for other in to) for one in of) / len(of)
