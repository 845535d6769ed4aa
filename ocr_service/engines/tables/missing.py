"""Row lines that are not drawn, or too faint to be seen one by one, put into a lattice."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.edges import drawn_edges, line_solidity
from ocr_service.engines.tables.faint import faint_lines, straighten
from ocr_service.engines.tables.lattice import Lattice, LatticeLine
from ocr_service.engines.tables.rulings import SOLID_INK, Gray
from ocr_service.engines.tables.textrows import CellLine, row_bands

_SAME = 12.0  # px between a new row line and one that is known
_MANY = 4  # rows of text without a line between them that make rows even where lines are sharp
_LEAST_GAP = 0.45  # of a line's height between two rows
_LEAST_GAP_FULL = 0.2  # the same where both rows fill nearly all columns
_RULE_HALF = 4  # px of a drawn line that are taken out before text is looked for
_LEAST_HEIGHT = 7  # px of a line of text


class _Straight:
    """A lattice seen from straight above: its picture, and where its lines are there."""

    def __init__(self, lattice: Lattice, darkness: Gray) -> None:
        last_row, last_column = len(lattice.rows) - 1, len(lattice.columns) - 1
        places = [(0, 0), (0, last_column), (last_row, last_column), (last_row, 0)]
        self.corners = np.array([lattice.corner(*place) for place in places], np.float32)
        self.picture = straighten(darkness, self.corners)
        height, width = self.picture.shape
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        self._to = cv2.getPerspectiveTransform(self.corners, target)
        self._back = np.linalg.inv(self._to)
        self.rows = [round(float(np.mean([self._map(lattice.corner(i, j))[1] for j in (0, last_column)]))) for i in range(last_row + 1)]
        self.columns = [round(float(np.mean([self._map(lattice.corner(i, j))[0] for i in (0, last_row)]))) for j in range(last_column + 1)]

    def _map(self, point: tuple[float, float]) -> NDArray[np.float64]:
        return np.asarray(cv2.perspectiveTransform(np.array([[point]], np.float32), self._to)[0, 0], np.float64)

    def line(self, y: float, middle: float) -> LatticeLine:
        """The row line at height y of the straightened picture."""
        ends = np.array([[[0, y], [self.picture.shape[1], y]]], np.float32)
        (x0, y0), (x1, y1) = cv2.perspectiveTransform(ends, self._back)[0]
        slope = float((y1 - y0) / max(1.0, x1 - x0))
        return LatticeLine(float(y0 + (middle - x0) * slope), slope, middle)


def with_faint_rows(lattice: Lattice, darkness: Gray, turned: Gray) -> Lattice:
    """With the row lines that show when the table's width is averaged."""
    straight = _Straight(lattice, darkness)
    lines = faint_lines(straight.picture, straight.columns, grain(darkness))
    found = [(float(line.y), line.drawn) for line in lines if line.drawn.any()]
    result = _with_rows(lattice, straight, found, believed=range(len(lattice.rows)))
    return result if len(result.rows) == len(lattice.rows) else replace(result, beside=drawn_edges(result.columns, result.rows, turned).T)


def grain(darkness: Gray) -> float:
    """How dark bare paper looks here (of 240): 0 for a drawn page, about 20 for a bad copy."""
    return float(np.percentile(darkness[::5, ::5], 75))


def is_broken(lattice: Lattice) -> bool:
    """Whether even the longest lines are: thin ones may be gone."""
    return max(line_solidity(lattice.columns), line_solidity(lattice.rows)) < SOLID_INK


def with_text_rows(lattice: Lattice, darkness: Gray, *, may_miss: bool) -> Lattice:
    """With a row line between rows of text, where there is none and there should be one."""
    straight = _Straight(lattice, darkness)
    whole = [i for i, drawn in enumerate(lattice.below) if drawn.mean() > 0.6]
    # Where one thin line is seen, others would be; after a fax machine that proves nothing.
    broken = is_broken(lattice)
    seen = any(line.rulings for line in lattice.rows[1:-1]) and not broken
    lines = _text_lines(lattice, straight)
    found = []
    for first, last in itertools.pairwise(whole):
        top, bottom = straight.rows[first], straight.rows[last]
        inside = [line for line in lines if top - 3 <= line.top and line.bottom <= bottom + 3]
        if not broken and any(line.rulings for line in lattice.rows[first + 1 : last]):
            continue  # a line that crosses only some columns is seen here: so would be one that crosses all
        guess = may_miss and not seen
        if guess or (last == first + 1 and _many_full_rows(inside, len(lattice.columns) - 1)):
            found.extend(_boundaries(inside, len(lattice.columns) - 1, straight.rows))
    believed = [i for i, line in enumerate(lattice.rows) if broken or not line.rulings]
    return _with_rows(lattice, straight, found, believed=believed)


def _boundaries(lines: list[CellLine], columns: int, known: Sequence[int]) -> list[tuple[float, NDArray[np.bool_]]]:
    """Heights between rows of text, moved to a known row line that is near, and the columns in which no text stands across."""
    found = []
    height = median(line.height for line in lines) if lines else 0.0
    for upper, lower in itertools.pairwise(row_bands(lines, columns)):
        filled = min(len({line.first for line in lines if top <= line.middle <= bottom}) for top, bottom in (upper, lower))
        least = _LEAST_GAP_FULL if filled > 0.7 * columns else _LEAST_GAP
        if lower[0] - upper[1] >= least * height:
            middle = (upper[1] + lower[0]) / 2
            y = min((float(row) for row in known if abs(row - middle) <= _SAME), key=lambda row: abs(row - middle), default=middle)
            crossed = {line.first for line in lines if line.top < y - 2 and line.bottom > y + 2}
            found.append((y, np.array([column not in crossed for column in range(columns)])))
    return found


def _many_full_rows(lines: list[CellLine], columns: int) -> bool:
    """Whether text stands in rows so regularly that they are rows even where lines are sharp and there is none between them."""
    bands = row_bands(lines, columns)
    if len(bands) < _MANY or columns < 3:
        return False
    filled = [{line.first for line in lines if top <= line.middle <= bottom} for top, bottom in bands]
    return float(np.mean([len(row) for row in filled])) > 0.7 * columns


def _text_lines(lattice: Lattice, straight: _Straight) -> list[CellLine]:
    """Lines of text in each column, from the ink that is left without the lines."""
    picture = straight.picture.copy()
    for i, j in np.argwhere(lattice.beside):
        x = straight.columns[j]
        picture[straight.rows[i] : straight.rows[i + 1], max(0, x - _RULE_HALF) : x + _RULE_HALF + 1] = 0
    for i, j in np.argwhere(lattice.below):
        y = straight.rows[i]
        picture[max(0, y - _RULE_HALF) : y + _RULE_HALF + 1, straight.columns[j] : straight.columns[j + 1]] = 0
    inked = picture[picture > 40]
    if not inked.size:
        return []
    text = np.asarray(picture > 0.45 * np.percentile(inked, 90), np.uint8)
    text = _without_specks(text)
    lines: list[CellLine] = []
    for column, (left, right) in enumerate(itertools.pairwise(straight.columns)):
        ink = cv2.reduce(text[:, left:right], 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() >= 2 if right > left else np.zeros(0, bool)
        lines.extend(CellLine(column, column, float(top), float(bottom)) for top, bottom in _runs(ink))
    return lines


def _without_specks(text: Gray) -> Gray:
    """Without dots of dirt; a letter has more pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(text, connectivity=8)
    keep = np.zeros(count, np.uint8)
    keep[1:] = (stats[1:, cv2.CC_STAT_HEIGHT] >= _LEAST_HEIGHT - 1) & (stats[1:, cv2.CC_STAT_AREA] >= 12)
    return np.asarray(keep[labels], np.uint8)


def _runs(ink: NDArray[np.bool_]) -> list[tuple[int, int]]:
    changes = np.flatnonzero(np.diff(np.concatenate([[0], ink.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in changes.reshape(-1, 2) if b - a >= _LEAST_HEIGHT]


def _with_rows(
    lattice: Lattice, straight: _Straight, found: Sequence[tuple[float, NDArray[np.bool_]]], *, believed: Sequence[int]
) -> Lattice:
    """The lattice with further row lines (height in the straightened picture, drawn edges); near a known one only its edges are added.

    A known line takes edges only if it is `believed` to have more than were seen: what is drawn is drawn, whatever the text looks like.
    Column lines run through the new rows as they did through the row that they divide.
    """
    below = [row.copy() for row in lattice.below]
    new: list[tuple[LatticeLine, NDArray[np.bool_]]] = []
    for y, drawn in found:
        near = min(range(len(straight.rows)), key=lambda i: abs(straight.rows[i] - y))
        if abs(straight.rows[near] - y) <= _SAME:
            if near in believed:
                below[near] |= drawn
        else:
            new.append((straight.line(y, lattice.rows[0].middle), drawn))
    if not new:
        return replace(lattice, below=np.array(below))
    merged = sorted([*zip(lattice.rows, below, strict=True), *new], key=lambda item: item[0].position)
    rows = tuple(line for line, _ in merged)
    known = [line.position for line in lattice.rows]
    parents = [max(i for i, position in enumerate(known[:-1]) if position <= line.position) for line in rows[:-1]]
    return Lattice(rows, lattice.columns, np.array([drawn for _, drawn in merged]), lattice.beside[parents])
