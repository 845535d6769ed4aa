"""A line of text as the layout step sees it, whoever read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocr_service.domain.blocks import TextLine
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line of words, left to right, in upright page pixels. `size` is the height of its letters' em in pixels."""

    bbox: BBox
    words: tuple[Word, ...]
    size: float
    bold: bool = False
    confidence: float | None = None

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    def as_text_line(self) -> TextLine:
        return TextLine(self.bbox, self.text, self.confidence)


def rows(lines: Iterable[PageLine]) -> list[list[PageLine]]:
    """Lines that stand beside each other, as rows from top to bottom, each from left to right."""
    grouped: list[list[PageLine]] = []
    for line in sorted(lines, key=lambda item: item.bbox.center.y):
        if grouped and _beside(grouped[-1], line):
            grouped[-1].append(line)
        else:
            grouped.append([line])
    return [sorted(row, key=lambda item: item.bbox.x0) for row in grouped]


def row_texts(lines: Iterable[PageLine]) -> list[str]:
    """The text of each row."""
    return [" ".join(line.text for line in row) for row in rows(lines)]


def mean_confidence(lines: Sequence[PageLine]) -> float | None:
    """Mean over letters, None where the characters are the file's own."""
    known = [(line.confidence, len(line.text)) for line in lines if line.confidence is not None]
    letters = sum(length for _, length in known)
    return sum(confidence * length for confidence, length in known) / letters if letters else None


def _beside(row: Sequence[PageLine], line: PageLine) -> bool:
    last = row[-1].bbox
    overlap = min(last.y1, line.bbox.y1) - max(last.y0, line.bbox.y0)
    apart = line.bbox.x0 >= last.x1 - 0.3 * last.height or line.bbox.x1 <= last.x0 + 0.3 * last.height
    return apart and overlap > 0.5 * min(last.height, line.bbox.height)
