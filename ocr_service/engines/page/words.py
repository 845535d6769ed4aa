"""The word as every reader (text layer, OCR) hands it on."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_service.domain.geometry import BBox


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a page.

    `bbox` is in upright page pixels; `confidence` 0–1, None where the characters are the file's own.
    """

    bbox: BBox
    text: str
    confidence: float | None = None
