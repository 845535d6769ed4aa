"""Tables without column lines, inside a box that the layout model gave: columns from white space, rows from lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.columns import column_bounds, phrases
from ocr_service.engines.tables.fill import with_header
from ocr_service.engines.tables.levels import head_bands
from ocr_service.engines.tables.lines import into_lines, text_of
from ocr_service.engines.tables.rulings import SOLID_INK, WORK_DPI, Gray, find_rulings
from ocr_service.engines.tables.spanning import widened
from ocr_service.engines.tables.textrows import Band, CellLine, row_bands

_FULL_RULE = 0.7  # of the box's width: a rule across the table
_TALL_RULE = 0.5  # of the box's height: a column line
_HEAD_SHARE = 0.45  # of the box's height that a head may take


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of one line that stand in one cell, of columns `first` to `last`."""

    first: int
    last: int
    words: tuple[Word, ...]

    @property
    def bbox(self) -> BBox:
        return BBox.around(word.bbox for word in self.words)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules inside the box, in page pixels: heights of those across the table; left, right and height of shorter ones; column lines."""

    full: tuple[float, ...] = ()
    partial: tuple[tuple[float, float, float], ...] = ()
    columns: tuple[float, ...] = ()


def borderless(bbox: BBox, words: Sequence[Word], gray: Gray, dpi: int, *, broken: bool = False) -> TableGrid | None:
    """The grid of the table in that box (page pixels), None if its words make no two columns or no two rows.

    `broken`: its lines were drawn once, and the copy broke them: what is left of column lines counts.
    """
    inside = [word for word in words if bbox.contains(word.bbox.center) and word.text.strip()]
    if len(inside) < 4:
        return None
    rules = _rules(bbox, gray, dpi, broken=broken)
    bounds = column_bounds(bbox, inside, gray, rules.columns)
    columns = len(bounds) - 1
    pieces = _pieces(inside, bounds)
    bands, head = _rows(pieces, columns, rules, bbox)
    if columns < 2 or len(bands) < 2:
        return None
    placed = [(_band_of(piece.bbox, bands), piece) for piece in pieces]
    cells = _cells(placed, len(bands), columns, bounds, rules, head)
    return with_header(len(bands), columns, cells)


def _rules(bbox: BBox, gray: Gray, dpi: int, *, broken: bool) -> Rules:
    scale = WORK_DPI / dpi
    margin = round(dpi / 20)
    left, top = max(0, int(bbox.x0) - margin), max(0, int(bbox.y0) - margin)
    crop = gray[top : int(bbox.y1) + margin, left : int(bbox.x1) + margin]
    if min(crop.shape) < 8:
        return Rules()
    work = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)
    found = find_rulings(work)
    across = [
        (left + line.start / scale, left + line.end / scale, top + float(np.mean(line.across)) / scale)
        for line in found.horizontal
        if line.inked > SOLID_INK
    ]
    full = sorted(y for start, end, y in across if end - start >= _FULL_RULE * bbox.width)
    partial = tuple(rule for rule in across if rule[1] - rule[0] < _FULL_RULE * bbox.width)
    tall = [
        left + float(np.mean(line.across)) / scale
        for line in found.vertical
        if line.length / scale >= _TALL_RULE * bbox.height and (broken or line.inked > SOLID_INK)
    ]
    return Rules(tuple(full), partial, tuple(sorted(tall)))


def _pieces(words: Sequence[Word], bounds: Sequence[float]) -> list[Piece]:
    height = median(word.bbox.height for word in words)
    pieces = []
    for line in into_lines(words):
        for phrase in phrases(line, height):
            pieces.extend(_split(phrase, bounds, height))
    return pieces


def _split(phrase: Sequence[Word], bounds: Sequence[float], height: float) -> list[Piece]:
    """A phrase of which a word stands across a column's bound spans columns; any other is parted at the bounds."""
    inner = bounds[1:-1]
    crossed = [x for x in inner if any(word.bbox.x0 + 0.3 * height < x < word.bbox.x1 - 0.3 * height for word in phrase)]
    if crossed:
        first, last = (_column(x, bounds) for x in (phrase[0].bbox.x0 + 0.3 * height, phrase[-1].bbox.x1 - 0.3 * height))
        return [Piece(first, last, tuple(phrase))]
    by_column: dict[int, list[Word]] = {}
    for word in phrase:
        by_column.setdefault(_column(word.bbox.center.x, bounds), []).append(word)
    return [Piece(column, column, tuple(part)) for column, part in by_column.items()]


def _column(x: float, bounds: Sequence[float]) -> int:
    return min(max(sum(bound <= x for bound in bounds) - 1, 0), len(bounds) - 2)


def _rows(pieces: Sequence[Piece], columns: int, rules: Rules, bbox: BBox) -> tuple[list[Band], int]:
    """The rows' bands from the top, and how many of them a rule marks as the head."""
    lines = _cell_lines(pieces, columns)
    cuts = [y for y in rules.full if any(line.middle < y for line in lines) and any(line.middle > y for line in lines)]
    bands: list[Band] = []
    head = 0
    for index, (top, bottom) in enumerate(zip([-np.inf, *cuts], [*cuts, np.inf], strict=True)):
        part = [line for line in lines if top <= line.middle < bottom]
        if index == 0 and cuts and cuts[0] - bbox.y0 < _HEAD_SHARE * bbox.height:
            bands.extend(head_bands(part, [y for _, _, y in rules.partial]))
            head = len(bands)
        else:
            bands.extend(row_bands(part, columns))
    return bands, head


def _cell_lines(pieces: Sequence[Piece], columns: int) -> list[CellLine]:
    widths = [max((piece.bbox.width for piece in pieces if piece.first == piece.last == column), default=0.0) for column in range(columns)]
    above: dict[int, Piece] = {}
    lines = []
    for piece in sorted(pieces, key=lambda item: item.bbox.y0):
        before = above.get(piece.first) if piece.first == piece.last else None
        goes_on = _goes_on(before, piece, widths[piece.first]) if before is not None else None
        box = piece.bbox
        lines.append(CellLine(piece.first, piece.last, box.y0, box.y1, goes_on, box.x0, box.x1))
        for column in range(piece.first, piece.last + 1):
            above[column] = piece
    return lines


def _goes_on(before: Piece, piece: Piece, width: float) -> bool | None:
    """A line that begins small goes on; one whose first word would have had room in the line above does not."""
    first = piece.words[0]
    if first.text[0].islower() or before.words[-1].text.endswith("-"):
        return True
    room = width - before.bbox.width
    return False if first.bbox.width + 0.3 * first.bbox.height < 0.9 * room else None


def _band_of(box: BBox, bands: Sequence[Band]) -> int:
    def distance(index: int) -> float:
        top, bottom = bands[index]
        return max(top - box.center.y, box.center.y - bottom, 0.0) + abs((top + bottom) / 2 - box.center.y) / 1000

    return min(range(len(bands)), key=distance)


def _cells(
    placed: Sequence[tuple[int, Piece]], rows: int, columns: int, bounds: Sequence[float], rules: Rules, head: int
) -> list[TableCell]:
    cells: list[TableCell] = []
    for row in range(rows):
        spans = _spans([piece for index, piece in placed if index == row], columns)
        if row < head - 1:
            spans = widened(spans, columns, bounds, rules.partial)
        for (first, last), words in sorted(spans.items()):
            box = BBox.around(word.bbox for word in words) if words else None
            cells.append(TableCell(row, first, text_of(words), 1, last - first + 1, bbox=box))
    return cells


def _spans(pieces: Sequence[Piece], columns: int) -> dict[tuple[int, int], list[Word]]:
    """The row's cells: pieces that share a column are one cell, columns without a piece are empty cells."""
    owner = list(range(columns))
    for piece in pieces:
        low = min(owner[piece.first : piece.last + 1])
        high = max(index for index in range(columns) if owner[index] in owner[piece.first : piece.last + 1])
        for column in range(low, high + 1):
            owner[column] = low
    spans: dict[tuple[int, int], list[Word]] = {}
    for first in sorted(set(owner)):
        last = max(column for column in range(columns) if owner[column] == first)
        spans[first, last] = [word for piece in pieces if first <= piece.first <= last for word in piece.words]
    return spans
