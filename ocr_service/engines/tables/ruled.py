"""Tables that are drawn with lines, from the page's picture alone, before any character is read."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.tables.build import build_lattices
from ocr_service.engines.tables.cells import Span, compact, merge_units
from ocr_service.engines.tables.components import components
from ocr_service.engines.tables.lattice import Lattice
from ocr_service.engines.tables.rulings import WORK_DPI, Gray, Rulings, find_rulings

_NARROWEST = 80.0  # px at WORK_DPI, a centimetre
_FRAME_SHARE = 0.5  # of the page that a single cell takes: a frame round the page, not a table


@dataclass(frozen=True, slots=True)
class RuledCell:
    """A cell between rulings: its place in the grid and its box in page pixels."""

    span: Span
    bbox: BBox


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A table's grid as it is drawn; cells come row by row and cover the grid. Boxes are page pixels."""

    bbox: BBox
    rows: int
    columns: int
    cells: tuple[RuledCell, ...]


def find_ruled_tables(gray: Gray, dpi: int) -> list[RuledTable]:
    """Ruled tables of an upright page (uint8, any dpi), from top to bottom. A lone box, an underline, a page frame is no table."""
    scale = WORK_DPI / dpi
    work = gray if abs(scale - 1) < 0.15 else _resized(gray, scale)
    return tables_of(find_rulings(work), scale if work is not gray else 1.0)


def tables_of(rulings: Rulings, scale: float) -> list[RuledTable]:
    """The tables that rulings draw, for callers who need both; `scale` is the rulings' picture's size over the page's."""
    turned = np.ascontiguousarray(rulings.darkness.T)
    tables = []
    for component in components(rulings.horizontal, rulings.vertical):
        for lattice in build_lattices(component, rulings.darkness, turned):
            table = _table(lattice, scale)
            if _is_table(table, scale, rulings.darkness.size):
                tables.append(table)
    return sorted(tables, key=lambda table: (table.bbox.y0, table.bbox.x0))


def _is_table(table: RuledTable, scale: float, page_area: int) -> bool:
    """A lone box, a frame round the page and the stems of a stack of letters are none."""
    largest = max(cell.bbox.area for cell in table.cells) * scale**2
    return len(table.cells) >= 2 and largest < _FRAME_SHARE * page_area and table.bbox.width * scale >= _NARROWEST


def _resized(gray: Gray, scale: float) -> Gray:
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=method), np.uint8)


def _table(lattice: Lattice, scale: float) -> RuledTable:
    cells = []
    for span in merge_units(lattice.below, lattice.beside):
        corners = [
            lattice.corner(span.row + down * span.rowspan, span.column + right * span.colspan) for down in (0, 1) for right in (0, 1)
        ]
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
        box = BBox((x0 + x2) / 2, (y0 + y1) / 2, (x1 + x3) / 2, (y2 + y3) / 2)
        cells.append(RuledCell(span, BBox(*(value / scale for value in box))))
    bbox = BBox.around(cell.bbox for cell in cells)
    spans = compact([cell.span for cell in cells])
    rows, columns = (max(span[axis] + span[axis + 2] for span in spans) for axis in (0, 1))
    return RuledTable(bbox, rows, columns, tuple(RuledCell(span, cell.bbox) for span, cell in zip(spans, cells, strict=True)))
