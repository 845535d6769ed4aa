"""The tables of a page with their text: ruled ones from the picture, others from the layout model's regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ocr_service.domain.blocks import TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.page_blocks import FoundTable
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine, rows
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.tables.borderless import borderless
from ocr_service.engines.tables.fill import fill
from ocr_service.engines.tables.ruled import RuledTable
from ocr_service.engines.tables.torn import widened
from ocr_service.engines.tables.undivided import without_undivided

_COVERED = 0.5
# What it takes for a region that the model calls text to be tried as a table.
_FEWEST_ROWS = 3
_WIDE_BLANK = 0.8
_TABULAR_SHARE = 0.6


def find_tables(
    ruled: Sequence[RuledTable], regions: Sequence[Region], lines: Sequence[PageLine], gray: Image, dpi: int
) -> tuple[tuple[FoundTable, ...], tuple[PageLine, ...]]:
    """The tables, and the lines that are in none of them. A line that runs out of a table is divided between its words."""
    found: list[FoundTable] = []
    rest = list(lines)
    parts = [without_undivided(table, lambda box: _is_tabular(box, lines)) for table in ruled]
    for table in (table for part in parts for table in part.ruled):
        inside, rest = _divide(rest, table.bbox)
        grid = fill(table, [word for line in inside for word in line.words])
        found.append(FoundTable(table.bbox, grid, tuple(inside)))
    tabular = [region for region in regions if region.kind == "table" or (region.kind == "text" and _is_tabular(region.bbox, rest))]
    texts = [region for region in regions if region.kind == "text" and region not in tabular]
    undivided = [Region("table", box) for part in parts for box in part.undivided]
    for region in (*undivided, *widened(tabular, texts, rest)):
        if any(region.bbox.intersection(table.bbox) > _COVERED * region.bbox.area for table in found):
            continue
        inside, outside = _divide(rest, region.bbox)
        grid_or_none = borderless(region.bbox, [word for line in inside for word in line.words], gray, dpi, broken=region in undivided)
        if grid_or_none is not None and (region.kind == "table" or _is_filled(grid_or_none)):
            found.append(FoundTable(region.bbox, grid_or_none, tuple(inside)))
            rest = outside
    return tuple(found), tuple(rest)


def _is_tabular(box: BBox, lines: Sequence[PageLine]) -> bool:
    """Whether most rows of a region consist of three or more pieces with wide blanks between them, as no prose does."""
    grouped = rows(line for line in lines if box.contains(line.bbox.center))
    pieces = [1 + sum(right.bbox.x0 - left.bbox.x1 > _WIDE_BLANK * left.bbox.height for left, right in pairwise(row)) for row in grouped]
    return len(pieces) >= _FEWEST_ROWS and sum(count >= 3 for count in pieces) >= _TABULAR_SHARE * len(pieces)


def _is_filled(grid: TableGrid) -> bool:
    filled = sum(bool(cell.text) for cell in grid.cells)
    return grid.columns >= 3 and filled >= _TABULAR_SHARE * len(grid.cells)


def _divide(lines: Sequence[PageLine], box: BBox) -> tuple[list[PageLine], list[PageLine]]:
    """Lines inside the box and lines outside."""
    inside: list[PageLine] = []
    outside: list[PageLine] = []
    for line in lines:
        within = tuple(word for word in line.words if box.contains(word.bbox.center))
        if len(within) == len(line.words):
            inside.append(line)
        elif not within:
            outside.append(line)
        else:
            without = tuple(word for word in line.words if word not in within)
            inside.append(replace(line, words=within, bbox=BBox.around(word.bbox for word in within)))
            outside.append(replace(line, words=without, bbox=BBox.around(word.bbox for word in without)))
    return inside, outside
