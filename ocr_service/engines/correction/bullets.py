"""Bullets of a scan: the detector finds no text in them and the recognisers have no letter for them, so they are looked for as ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.ink import ink_threshold
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word

# Lengths in heights of the line's box, which is about 1.4 em.
_REACH, _OVERLAP = 2.2, 0.1
_SPECK = 0.06
_OFF_CENTRE = 0.2
_DOT = (0.13, 0.5)
_DOT_ASPECT, _DOT_FILL = 1.35, 0.65
_DASH_WIDTH, _DASH_HEIGHT, _DASH_ASPECT = (0.2, 0.9), 0.16, 2.5
_ALIGNED = 0.35
_ALIKE = 1.5
_CLEAR = 1.0
_FEWEST = 2
_LEAST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class _Mark:
    """Ink left of a line that may be its bullet."""

    line: int
    text: str
    bbox: BBox


def with_bullets(lines: Sequence[PageLine], gray: Image) -> tuple[PageLine, ...]:
    """The lines, those with a bullet before them begin with it as a word. `gray`: the page that they were read from.

    A single mark may be dirt: at least two must stand one under another and look alike.
    """
    threshold = ink_threshold(gray)
    marks = [mark for index, line in enumerate(lines) if (mark := _mark(index, line, lines, gray, threshold)) is not None]
    found = {mark.line: mark for mark in marks if sum(_of_one_list(mark, other, lines) for other in marks) >= _FEWEST}
    return tuple(_marked(line, found[index]) if index in found else line for index, line in enumerate(lines))


def _marked(line: PageLine, mark: _Mark) -> PageLine:
    return replace(line, bbox=BBox.around([mark.bbox, line.bbox]), words=(Word(mark.bbox, mark.text, line.confidence), *line.words))


def _of_one_list(mark: _Mark, other: _Mark, lines: Sequence[PageLine]) -> bool:
    """Whether two marks (or a mark and itself) stand one under another and look alike."""
    height = lines[mark.line].bbox.height
    alike = max(mark.bbox.width, other.bbox.width) <= _ALIKE * min(mark.bbox.width, other.bbox.width)
    return mark.text == other.text and alike and abs(mark.bbox.x0 - other.bbox.x0) < _ALIGNED * height


def _mark(index: int, line: PageLine, lines: Sequence[PageLine], gray: Image, threshold: float) -> _Mark | None:
    if sum(letter.isalpha() for letter in line.text) < _LEAST_LETTERS:
        return None
    height = line.bbox.height
    # The detector may have taken the mark into the line's box, where the recogniser passed over it.
    begin = max(line.bbox.x0, line.words[0].bbox.x0 - 0.5 * height)
    window = BBox(begin - _REACH * height, line.bbox.y0, begin + _OVERLAP * height, line.bbox.y1).clipped(gray.shape[1], gray.shape[0])
    x0, y0, x1, y1 = (int(value) for value in (window.x0, window.y0, window.x1, window.y1))
    if x1 - x0 < _DOT[0] * height or y1 - y0 < _DOT[0] * height:
        return None
    dark = (gray[y0:y1, x0:x1] < threshold).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    pieces = [
        (BBox(x0 + left, y0 + top, x0 + left + width, y0 + top + tall), area / (width * tall))
        for left, top, width, tall, area in stats[1:].tolist()
        if max(width, tall) > _SPECK * height and left + width < x1 - x0
    ]
    if len(pieces) != 1:
        return None
    [(box, fill)] = pieces
    text = _looks_like(box, fill, height)
    if text is None or abs(box.center.y - line.bbox.center.y) > _OFF_CENTRE * height:
        return None
    if any(_stands_before(other, box, line, height) for place, other in enumerate(lines) if place != index):
        return None
    return _Mark(index, text, box)


def _looks_like(box: BBox, fill: float, height: float) -> str | None:
    long, short = max(box.width, box.height), min(box.width, box.height)
    if _DOT[0] * height <= short and long <= _DOT[1] * height and long <= _DOT_ASPECT * short and fill >= _DOT_FILL:
        return "•"
    dash = _DASH_WIDTH[0] * height <= box.width <= _DASH_WIDTH[1] * height and box.height <= _DASH_HEIGHT * height
    return "–" if dash and box.width >= _DASH_ASPECT * box.height else None


def _stands_before(other: PageLine, mark: BBox, line: PageLine, height: float) -> bool:
    """Whether text stands close before the mark: then it is a sign within a row, and no bullet."""
    beside = min(other.bbox.y1, line.bbox.y1) - max(other.bbox.y0, line.bbox.y0) > 0.5 * min(other.bbox.height, height)
    return beside and mark.x0 - _CLEAR * height < other.bbox.x1 <= mark.x1 + _CLEAR * height
