"""A line as it was read from a picture."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line of words, left to right. `bbox` in upright page pixels, `confidence` 0–1 (mean over letters)."""

    bbox: BBox
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        letters = sum(len(word.text) for word in self.words)
        return sum((word.confidence or 0.0) * len(word.text) for word in self.words) / max(1, letters)
