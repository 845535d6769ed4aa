"""A page picture becomes lines of words: find the lines, cut them at the borders of table cells, read them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.dashes import dashes
from ocr_service.engines.ocr.detection import DetectedLine, TextDetector
from ocr_service.engines.ocr.line_crop import LinePicture, cut
from ocr_service.engines.ocr.reading import LineReader, PageReader
from ocr_service.engines.page.ink import ink_threshold, inside_cell
from ocr_service.engines.page.ocr_line import OcrLine
from ocr_service.engines.page.words import Word

_SAMPLE = 7
_SAMPLE_WIDTH = 6
_VERTICAL = 2.2
_LEAST_INK = 0.02


class PageOcr:
    """Finds and reads the lines of pages."""

    def __init__(self, detector: TextDetector) -> None:
        self._detector = detector

    def read(self, gray: NDArray[np.uint8], cells: Sequence[BBox], reader: PageReader) -> list[OcrLine]:
        """`gray`: the upright page with its rulings painted over; `cells`: the boxes of table cells, in pixels.

        Lines come sorted by height on the page, then from left to right; reading order is the layout's matter.
        """
        found = self._detector(gray)
        lines = [part for line in found for part in _within_cells(line, cells)]
        lines += _overlooked(gray, cells, lines)
        lines.sort(key=lambda line: (line.cy, line.cx))
        longest = sorted(lines, key=lambda line: -line.length)[:_SAMPLE]
        read = reader.for_page([_beginning(cut(gray, line)) for line in longest])
        texts = [ocr_line for line in lines if (ocr_line := _read(gray, line, read)) is not None]
        signs = dashes(gray, cells, [line.bbox for line in texts])
        return sorted([*texts, *signs], key=lambda line: (line.bbox.center.y, line.bbox.center.x)) if signs else texts


def _beginning(line: LinePicture) -> LinePicture:
    """Enough of a line to tell its script."""
    return line.part(0, _SAMPLE_WIDTH * line.height)


def _read(gray: NDArray[np.uint8], line: DetectedLine, reader: LineReader) -> OcrLine | None:
    if line.height > _VERTICAL * line.length and line.height > 40:
        return _read_vertical(gray, line, reader)
    picture = cut(gray, line)
    words = tuple(
        Word(picture.bbox(word.x0, max(word.x1, word.x0 + 1)), word.text, word.confidence) for word in reader.read(picture) if word.text
    )
    return OcrLine(_box(line), words) if words else None


def _read_vertical(gray: NDArray[np.uint8], line: DetectedLine, reader: LineReader) -> OcrLine | None:
    """Text that runs upwards (the usual way in table heads) or downwards; the surer reading counts."""
    box = _box(line).clipped(gray.shape[1], gray.shape[0])
    patch = gray[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    best: tuple[float, str] = (0.0, "")
    for turns in (3, 1):
        words = reader.read(LinePicture(np.ascontiguousarray(np.rot90(patch, turns)), 0.0, 0.0))
        text = " ".join(word.text for word in words)
        score = sum(word.confidence * len(word.text) for word in words) / max(1, sum(len(word.text) for word in words))
        best = max(best, (score, text))
    return OcrLine(box, (Word(box, best[1], best[0]),)) if best[1] else None


def _box(line: DetectedLine) -> BBox:
    return BBox(line.cx - line.length / 2, line.cy - line.height / 2, line.cx + line.length / 2, line.cy + line.height / 2)


def _within_cells(line: DetectedLine, cells: Sequence[BBox]) -> list[DetectedLine]:
    """The line, cut where it runs from one table cell into the next."""
    box = _box(line)
    crossed = [cell for cell in cells if cell.y0 < line.cy < cell.y1 and min(cell.x1, box.x1) - max(cell.x0, box.x0) > 0.35 * line.height]
    inside = sum(min(cell.x1, box.x1) - max(cell.x0, box.x0) for cell in crossed)
    if len(crossed) < 2 or inside < 0.7 * line.length:
        return [line]
    parts = []
    for cell in crossed:
        x0, x1 = max(cell.x0, box.x0), min(cell.x1, box.x1)
        parts.append(replace(line, cx=(x0 + x1) / 2, length=x1 - x0))
    return parts


def _overlooked(gray: NDArray[np.uint8], cells: Sequence[BBox], lines: Sequence[DetectedLine]) -> list[DetectedLine]:
    """Lines for cells that hold ink but no line: single digits and dashes escape the detector."""
    if not cells or not lines:
        return []
    usual = float(np.median([line.height for line in lines]))
    centres = np.array([(line.cx, line.cy) for line in lines])
    threshold = ink_threshold(gray)
    found = []
    for cell in cells:
        inside = (centres[:, 0] > cell.x0) & (centres[:, 0] < cell.x1) & (centres[:, 1] > cell.y0) & (centres[:, 1] < cell.y1)
        if not inside.any() and cell.height > 0.5 * usual:
            found += _ink_line(gray, cell, usual, threshold)
    return found


def _ink_line(gray: NDArray[np.uint8], cell: BBox, usual: float, threshold: float) -> list[DetectedLine]:
    patch, x0, y0 = inside_cell(gray, cell, 0.12 * usual)
    if min(patch.shape) < 4:
        return []
    dark = cv2.morphologyEx((patch < threshold).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if not len(rows) or not 0.15 * usual < rows[-1] - rows[0] < 1.3 * usual:
        return []
    length, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    if dark.sum() < _LEAST_INK * usual * usual:
        return []
    cx, cy = x0 + (columns[0] + columns[-1]) / 2, y0 + (rows[0] + rows[-1]) / 2
    margin = 0.35 * usual
    return [DetectedLine(cx, cy, length + margin, max(height, 0.6 * usual) + margin, 0.0, 1.0)]
