"""The tables of a page with their text: ruled ones from the picture, others from the layout model's regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout import Region
from ocr_service.engines.page_blocks import FoundTable
from ocr_service.engines.page_lines import PageLine
from ocr_service.engines.page_size import Image
from ocr_service.engines.tables.borderless import borderless
from ocr_service.engines.tables.fill import fill
from ocr_service.engines.tables.ruled import RuledTable

_COVERED = 0.5


def find_tables(
    ruled: Sequence[RuledTable], regions: Sequence[Region], lines: Sequence[PageLine], gray: Image, dpi: int
) -> tuple[tuple[FoundTable, ...], tuple[PageLine, ...]]:
    """The tables, and the lines that are in none of them. A line that runs out of a table is divided between its words."""
    found: list[FoundTable] = []
    rest = list(lines)
    for table in ruled:
        inside, rest = _divide(rest, table.bbox)
        grid = fill(table, [word for line in inside for word in line.words])
        found.append(FoundTable(table.bbox, grid, tuple(inside)))
    for region in regions:
        if region.kind != "table" or any(region.bbox.intersection(table.bbox) > _COVERED * region.bbox.area for table in found):
            continue
        inside, outside = _divide(rest, region.bbox)
        grid_or_none = borderless(region.bbox, [word for line in inside for word in line.words], gray, dpi)
        if grid_or_none is not None:
            found.append(FoundTable(region.bbox, grid_or_none, tuple(inside)))
            rest = outside
    return tuple(found), tuple(rest)


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
