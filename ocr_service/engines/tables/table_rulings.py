"""The ruled tables of a page, and the page without the lines that draw them.

On a sharp page the feet and stems of letters pass for short rulings. What tells them apart is the paper: along a drawn line both
sides are light at the same place, along a row of letters one side or the other is inked. A page where most candidates are letters is
sharp enough for its drawn lines to be unbroken, so there only those are kept. And only lines of accepted tables are painted over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.tables.erase import remove_rulings
from ocr_service.engines.tables.ruled import RuledTable, tables_of
from ocr_service.engines.tables.rulings import WORK_DPI, Ruling, Rulings, find_rulings

# Share of a line's length with light paper on both sides. Measured at 200 dpi: drawn lines 0.35–1 (faxes and photos the lowest), stems
# of letters 0–0.2, feet and heads of letters 0.2–0.45.
_DRAWN_VERTICAL = 0.28
_DRAWN_HORIZONTAL = 0.5
_LETTERS_SHARE = 0.3
_SIDE_GAP, _SIDE_DEPTH = 4, 4
_LIGHT = 0.6
_NEAR = 6.0
# A row of a table is higher than a line of small print.
_LOWEST_ROW_INCHES = 0.085
_SMALLEST_SQUARE_INCHES = 0.4
# A table of less than this may be made up by letters on a page whose candidates are drawn lines for the better part.
_SMALL_SQUARE_INCHES = 1.5

# A cell as seen along a line: where it starts and ends, and where its two edges along the line lie.
_Sides = tuple[float, float, float, float]


def find_drawn_tables(gray: Image, dpi: int) -> list[RuledTable]:
    """The ruled tables of an upright page, boxes in its pixels."""
    return _tables(_drawn_rulings(gray, dpi), dpi)


def find_tables_and_clean(gray: Image, dpi: int) -> tuple[list[RuledTable], Image]:
    """The ruled tables, and a copy of the page without their rulings."""
    rulings = _drawn_rulings(gray, dpi)
    tables = _tables(rulings, dpi)
    scale = WORK_DPI / dpi
    of_tables = replace(
        rulings,
        horizontal=_along_edges(rulings.horizontal, [(cell.x0, cell.x1, cell.y0, cell.y1) for cell in _cells(tables, scale)]),
        vertical=_along_edges(rulings.vertical, [(cell.y0, cell.y1, cell.x0, cell.x1) for cell in _cells(tables, scale)]),
    )
    return tables, remove_rulings(gray, of_tables, dpi)


def _cells(tables: Sequence[RuledTable], scale: float) -> list[BBox]:
    return [BBox(*(value * scale for value in cell.bbox)) for table in tables for cell in table.cells]


def _drawn_rulings(gray: Image, dpi: int) -> Rulings:
    scale = WORK_DPI / dpi
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    work = gray if dpi == WORK_DPI else np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=method), np.uint8)
    found = find_rulings(work)
    turned = np.ascontiguousarray(found.darkness.T)
    upright = tuple(line for line in found.vertical if thin_share(line, turned) >= _DRAWN_VERTICAL)
    if len(upright) >= _LETTERS_SHARE * len(found.vertical):
        return found
    across = tuple(line for line in found.horizontal if thin_share(line, found.darkness) >= _DRAWN_HORIZONTAL)
    return replace(found, horizontal=across, vertical=upright)


def thin_share(line: Ruling, darkness: Image) -> float:
    """Share 0–1 of the line's length where it is inked and the paper on both sides is light. `darkness` runs along the line."""
    along = np.arange(max(0, int(line.start)), min(darkness.shape[1] - 1, int(line.end)) + 1)
    if not len(along):
        return 0.0
    course = np.rint(np.interp(along, line.along, line.across)).astype(int)
    half = round(line.thickness / 2) + 1
    ink = _darkest(darkness, along, course, -half, half)
    above = _darkest(darkness, along, course, -half - _SIDE_GAP - _SIDE_DEPTH + 2, -half - _SIDE_GAP + 1)
    below = _darkest(darkness, along, course, half + _SIDE_GAP - 1, half + _SIDE_GAP + _SIDE_DEPTH - 2)
    return float(((ink > 0.5 * np.median(ink)) & (above < _LIGHT * ink) & (below < _LIGHT * ink)).mean())


def _darkest(darkness: Image, along: NDArray[np.int_], course: NDArray[np.int_], first: int, last: int) -> NDArray[np.int_]:
    """The greatest darkness between two distances from the line, for each pixel along it."""
    rows = (course[None, :] + np.arange(first, last + 1)[:, None]).clip(0, darkness.shape[0] - 1)
    return np.asarray(darkness[rows, along[None, :]].max(axis=0), np.int_)


def _tables(rulings: Rulings, dpi: int) -> list[RuledTable]:
    found = [table for table in tables_of(rulings, WORK_DPI / dpi) if not _is_too_small(table, dpi)]
    return [table for table in found if table.bbox.area > _SMALL_SQUARE_INCHES * dpi * dpi or not _is_of_letters(table, rulings, dpi)]


def _is_of_letters(table: RuledTable, rulings: Rulings, dpi: int) -> bool:
    """Whether the upright lines of a table are stems of letters that stand one under another in two or three lines of text."""
    scale = WORK_DPI / dpi
    x0, y0, x1, y1 = (value * scale for value in table.bbox)
    darkness = np.ascontiguousarray(rulings.darkness.T)
    lines = [line for line in rulings.vertical if line.start < y1 and line.end > y0 and x0 - _NEAR < line.across.mean() < x1 + _NEAR]
    lengths = [line.end - line.start for line in lines]
    return bool(lines) and float(np.average([thin_share(line, darkness) for line in lines], weights=lengths)) < _DRAWN_VERTICAL


def _is_too_small(table: RuledTable, dpi: int) -> bool:
    if table.bbox.area < _SMALLEST_SQUARE_INCHES * dpi * dpi:
        return True
    return float(np.median([cell.bbox.height / cell.span.rowspan for cell in table.cells])) < _LOWEST_ROW_INCHES * dpi


def _along_edges(lines: Sequence[Ruling], cells: Sequence[_Sides]) -> tuple[Ruling, ...]:
    """The stretches of the lines that run along an edge of a cell: a line may pass through a cell that spans its column, and letters
    of the text around a table may stand in line with it."""
    return tuple(_stretch(line, first, last) for line in lines for first, last in _stretches(line, cells))


def _stretches(line: Ruling, cells: Sequence[_Sides]) -> list[tuple[float, float]]:
    """From where to where the line runs along edges, neighbouring edges joined."""
    shared = []
    for start, end, near, far in cells:
        first, last = max(start - _NEAR, line.start), min(end + _NEAR, line.end)
        if last > first and min(abs(line.at((first + last) / 2) - side) for side in (near, far)) < _NEAR:
            shared.append((first, last))
    joined: list[tuple[float, float]] = []
    for first, last in sorted(shared):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _stretch(line: Ruling, first: float, last: float) -> Ruling:
    along = np.array([first, *line.along[(line.along > first) & (line.along < last)], last], np.float32)
    return replace(line, along=along, across=np.interp(along, line.along, line.across).astype(np.float32))
