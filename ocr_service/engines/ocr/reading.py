"""What a line reader returns: words along a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ocr_service.engines.ocr.line_crop import LinePicture


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word of a line: its text, its confidence 0–1, and its columns in the line picture."""

    text: str
    confidence: float
    x0: float
    x1: float


def confidence(words: Sequence[ReadWord]) -> float:
    """Of all words, by their letters; 0 without any."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


class LineReader(Protocol):
    """Reads the words of one line picture, left to right. Never raises for what is in the picture."""

    @property
    def name(self) -> str: ...

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]: ...


class PageReader(Protocol):
    """Reads the lines of a page; may look at some of them first to learn what the page is written in."""

    @property
    def name(self) -> str: ...

    def for_page(self, sample: Sequence[LinePicture]) -> LineReader: ...
