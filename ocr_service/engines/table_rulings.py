"""The ruled tables of a scan, and the page without the lines that draw them.

Only lines that belong to an accepted table are painted over: on a sharp scan the straight strokes of letters look like short rulings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page_size import Image
from ocr_service.engines.tables.erase import remove_rulings
from ocr_service.engines.tables.ruled import RuledTable, find_ruled_tables
from ocr_service.engines.tables.rulings import WORK_DPI, Ruling, Rulings, find_rulings

_NEAR = 6.0
# The feet and heads of a line of letters can pass for two rulings; a row of a table is higher than that.
_LOWEST_ROW_INCHES = 0.085

Edges = Callable[[BBox], tuple[float, float]]


def find_tables_and_clean(gray: Image, dpi: int) -> tuple[list[RuledTable], Image]:
    """The ruled tables of an upright page (boxes in its pixels), and a copy of the page without their rulings."""
    scale = WORK_DPI / dpi
    work = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)
    tables = [table for table in find_ruled_tables(gray, dpi) if not is_line_of_text(table, dpi)]
    found = find_rulings(work)
    drawn = Rulings(
        tuple(line for line in found.horizontal if _is_drawn(line, tables, scale, lambda box: (box.y0, box.y1))),
        tuple(line for line in found.vertical if _is_drawn(line, tables, scale, lambda box: (box.x0, box.x1))),
        found.darkness,
    )
    return tables, remove_rulings(gray, drawn, dpi)


def is_line_of_text(table: RuledTable, dpi: int) -> bool:
    """Whether the "table" is so low that its rows cannot hold text."""
    return float(np.median([cell.bbox.height / cell.span.rowspan for cell in table.cells])) < _LOWEST_ROW_INCHES * dpi


def _is_drawn(line: Ruling, tables: Sequence[RuledTable], scale: float, edges: Edges) -> bool:
    middle = line.at((line.start + line.end) / 2)
    return any(abs(middle - edge * scale) < _NEAR for table in tables for cell in table.cells for edge in edges(cell.bbox))
