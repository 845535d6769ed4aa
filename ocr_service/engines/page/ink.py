"""Ink: what is dark enough to be it, and how much of what looks like writing on a page lies inside given boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_size import Image

# All sizes below are pixels at this dpi.
INK_DPI = 100
_RULE_LENGTH = 45
_GLYPH_HEIGHT = (3, 40)
_GLYPH_WIDTH = (1, 60)
_LETTER_GAP = 9
_LINE_MIN_WIDTH = 25
_LINE_MIN_ASPECT = 2.0


# How much darker than paper ink must be, as a share of the way from the paper to the darkest ink; and which pixels tell both.
_INK_SHARE = 0.45
_EVERY = 7
_PAPER, _DARKEST = 80, 2
_LEAST_CONTRAST = 40


def ink_threshold(gray: Image) -> float:
    """The grey level below which a pixel of this page is ink."""
    paper, ink = np.percentile(gray[::_EVERY, ::_EVERY], (_PAPER, _DARKEST))
    return float(paper - _INK_SHARE * (paper - ink))


def grey_level(gray: Image, percent: float) -> float:
    """`np.percentile` of grey pixels in a third of its time: every line's picture is asked twice."""
    up_to = np.cumsum(cv2.calcHist([gray], [0], None, [256], [0, 256]), dtype=np.int64)
    place = percent / 100 * (gray.size - 1)
    below, above = np.searchsorted(up_to, [math.floor(place), math.ceil(place)], side="right")
    return float(below + (above - below) * (place - math.floor(place)))


def ink_of_line(pixels: Image, share: float = 0.4) -> NDArray[np.bool_]:
    """h×w: which pixels of a line's picture are ink; none where nothing on it is much darker than the paper.

    `share`: of the way from the paper to the darkest pixel, how far one must be.
    """
    paper, darkest = grey_level(pixels, 90), int(pixels.min())
    if paper - darkest < _LEAST_CONTRAST:
        return np.zeros(pixels.shape, bool)
    return np.asarray(pixels < paper - share * (paper - darkest))


def inside_cell(gray: Image, cell: BBox, edge: float) -> tuple[Image, int, int]:
    """A table cell without what lies within `edge` pixels of its border, and where on the page that begins: x, y."""
    x0, y0, x1, y1 = (int(v) for v in (cell.x0 + edge, cell.y0 + edge, cell.x1 - edge, cell.y1 - edge))
    left, top = max(0, x0), max(0, y0)
    return gray[top:y1, left:x1], left, top


def writing(gray: Image) -> Image:
    """The pixels (255, else 0) of what looks like lines of writing on a page rendered at INK_DPI: letter-sized, in a row."""
    ink = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 12)
    for kernel in ((_RULE_LENGTH, 1), (1, _RULE_LENGTH)):
        ink = cv2.subtract(ink, cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(kernel[::-1], np.uint8)))
    glyphs = _keep(ink, _GLYPH_WIDTH, _GLYPH_HEIGHT, 0.0)
    rows = cv2.morphologyEx(glyphs, cv2.MORPH_CLOSE, np.ones((1, _LETTER_GAP), np.uint8))
    lines = _keep(rows, (_LINE_MIN_WIDTH, gray.shape[1]), _GLYPH_HEIGHT, _LINE_MIN_ASPECT)
    return np.asarray(cv2.bitwise_and(glyphs, lines), dtype=np.uint8)


def _keep(mask: Image, width: tuple[int, int], height: tuple[int, int], aspect: float) -> Image:
    """Only the connected pieces within those sizes, at least `aspect` times as wide as high."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    w, h = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    good = (w >= width[0]) & (w <= width[1]) & (h >= height[0]) & (h <= height[1]) & (w >= aspect * h)
    good[0] = False
    return np.where(good[labels], 255, 0).astype(np.uint8)


def uncovered(gray: Image, boxes: Iterable[BBox]) -> tuple[float, int]:
    """Share (0–1) of the writing that lies in none of the boxes, and its amount in pixels. All at INK_DPI."""
    found = writing(gray)
    total = cv2.countNonZero(found)
    for box in boxes:
        left, top = max(0, int(box.x0) - 2), max(0, int(box.y0) - 2)
        found[top : int(box.y1) + 3, left : int(box.x1) + 3] = 0
    left_over = cv2.countNonZero(found)
    return (left_over / total if total else 0.0), left_over
