"""Words into lines, and lines into a cell's text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.engines.page.words import Word

_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
_BROKEN_AT_HYPHEN = re.compile(r"\w-$")
_AT_SLASH = re.compile(r"\w/$")


def into_lines(words: Sequence[Word]) -> list[list[Word]]:
    """Lines from top to bottom, each from left to right: a word joins the line whose middle it covers best."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda item: item.bbox.center.y):
        if lines and _same_line(lines[-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda item: item.bbox.x0) for line in lines]


def _same_line(line: Sequence[Word], word: Word) -> bool:
    top, bottom = (sum(values) / len(line) for values in ([item.bbox.y0 for item in line], [item.bbox.y1 for item in line]))
    shared = min(bottom, word.bbox.y1) - max(top, word.bbox.y0)
    return shared > 0.5 * min(bottom - top, word.bbox.height)


def text_of(words: Sequence[Word]) -> str:
    """The words' text in reading order, one space between; a word broken at a line's end is put together again."""
    text = ""
    for line in into_lines(words):
        part = " ".join(word.text for word in line).strip()
        if not text or not part:
            text = text or part
        elif _BROKEN_WORD.search(text) and part[0].islower():
            text = text[:-1] + part
        elif _AT_SLASH.search(text) or (_BROKEN_AT_HYPHEN.search(text) and (part[0].isdigit() or part[0].isupper())):
            text += part
        else:
            text += " " + part
    return text
