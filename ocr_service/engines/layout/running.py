"""Which lines at the edge of a page are running heads, running feet or page numbers, and which only stand there.

The layout model calls a letterhead or the title of a one-page paper a page header now and then. A head is left out of the Markdown, so
it has to look like one: small, at the very edge, or with a page number. A footnote, or the name of who wrote a letter, is no running foot.
"""

from __future__ import annotations

import re

from ocr_service.domain.blocks import LayoutLabel
from ocr_service.domain.geometry import BBox

_NUMBER = re.compile(
    r"^[-–—\s]*(?:(?:стр(?:аница|\.)?|page|лист|p\.)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|из|of)\s*\d{1,4})?[-–—.\s]*$", re.IGNORECASE
)
# «Протокол № 4» is the name of a paper.
_BESIDE_NUMBER = re.compile(r"^\d{1,4}\s+\D|[^\d№\s]\s+\d{1,4}$")
# A note has a mark and ends like a sentence, though not with «2023 г.».
_NOTE = re.compile(r"^(?:[¹²³⁴⁵⁶⁷⁸⁹*]+|\d{1,2}\)?(?=\s))\s*\S+\s+\S+\s.*(?<!\sг)[.!?]$", re.DOTALL)
# Who wrote a letter stands at its foot, in small letters: «Исп.: Тадыева Ч. Ю.», «Петрова А. И., 21-44».
_WRITTEN_BY = re.compile(r"^(?:(?:ис[пл]|отп)(?:\.|\w*:)|исполнитель\b)|^(?-i:[А-ЯЁ][а-яё-]+\s+[А-ЯЁ]\.\s?[А-ЯЁ]\.)", re.IGNORECASE)
_EDGE = 0.085
_SMALL = 0.88
_SHORT = 45
# Chapter to the left, section to the right: pieces of a running head stand this share of the page's width apart.
_WIDE_GAP = 0.06


def running_label(kind: str, text: str, bbox: BBox, page_height: float, *, relative_size: float, widest_gap: float) -> LayoutLabel | None:
    """The label for a region that the model calls page-header or page-footer, None if it does not look like one.

    `relative_size`: its letters' height over the page's usual one; `widest_gap`: the widest blank
    on its line as a share of the page's width.
    """
    if _NUMBER.match(text):
        return LayoutLabel.NUMBER
    if kind == "page-footer" and _NOTE.match(text):
        return LayoutLabel.FOOTNOTE
    if kind == "page-footer" and _WRITTEN_BY.match(text):
        return None
    at_edge = bbox.y1 < _EDGE * page_height if kind == "page-header" else bbox.y0 > (1 - _EDGE) * page_height
    looks_running = (relative_size < _SMALL and len(text) <= _SHORT) or widest_gap > _WIDE_GAP or _BESIDE_NUMBER.search(text) is not None
    if not at_edge or not looks_running:
        return None
    return LayoutLabel.HEADER if kind == "page-header" else LayoutLabel.FOOTER
