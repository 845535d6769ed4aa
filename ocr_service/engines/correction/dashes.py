"""Dashes alone in table cells, which mean "none": the detector passes over them, and recognisers read them as anything."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.ink import ink_threshold, inside_cell
from ocr_service.engines.page.ocr_line import OcrLine
from ocr_service.engines.page.words import Word

# In heights of a usual line's box.
_EDGE = 0.12
_LONG, _THICK, _SPECK = (0.2, 1.2), 0.16, 0.1
# Longer than it is thick by so much, and filled by so much of its box: a thin one on a sheet that lies askew fills half of it.
_ASPECT, _FILLED = 3.0, 0.5
# A line to write on stands at the foot of its cell.
_OFF_CENTRE = 0.3
_CONFIDENCE = 0.9


def dashes(gray: NDArray[np.uint8], cells: Sequence[BBox], read: Sequence[BBox]) -> list[OcrLine]:
    """A line with a dash for each cell that holds nothing else. `gray`: the page without rulings; `read`: the boxes of the lines read."""
    if not cells or not read:
        return []
    usual = float(np.median([box.height for box in read]))
    threshold = ink_threshold(gray)
    free = [cell for cell in cells if cell.height > 0.5 * usual and not any(cell.contains(box.center) for box in read)]
    boxes = [box for cell in free if (box := _dash(gray, cell, usual, threshold)) is not None]
    return [OcrLine(box, (Word(box, "—", _CONFIDENCE),)) for box in boxes]


def _dash(gray: NDArray[np.uint8], cell: BBox, usual: float, threshold: float) -> BBox | None:
    patch, x0, y0 = inside_cell(gray, cell, _EDGE * usual)
    if min(patch.shape, default=0) < 4:
        return None
    _, _, stats, _ = cv2.connectedComponentsWithStats((patch < threshold).astype(np.uint8), connectivity=8)
    pieces = [piece for piece in stats[1:].tolist() if max(piece[cv2.CC_STAT_WIDTH], piece[cv2.CC_STAT_HEIGHT]) > _SPECK * usual]
    if len(pieces) != 1:
        return None
    left, top, width, height, area = pieces[0]
    middle = y0 + top + height / 2
    is_dash = (
        _LONG[0] * usual <= width <= _LONG[1] * usual
        and height <= _THICK * usual
        and width >= _ASPECT * height
        and area >= _FILLED * width * height
        and abs(middle - cell.center.y) <= _OFF_CENTRE * cell.height
    )
    if not is_dash:
        return None
    x = x0 + left
    # As high as a line of text, so that it stands in its row.
    return BBox(x, middle - usual / 2, x + width, middle + usual / 2)
