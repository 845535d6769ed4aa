"""Lines of text find their blocks."""

from __future__ import annotations

from collections.abc import Sequence

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.drafts import Draft
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word
from ocr_service.engines.pictures.figures import CUT_OUT
from ocr_service.engines.structure_v3.raw import RawLine

# The detector's boxes are grown beyond the letters by about so much.
_EM_SHARE = 0.72
# Taller than wide by so much: the line runs downwards, and its words have no place of their own on it.
_VERTICAL = 1.5
_INSIDE = 0.5


def page_lines(raw: Sequence[RawLine]) -> list[PageLine]:
    """The recognised lines, less those that say nothing. Words lie on their line in proportion to their letters."""
    return [_page_line(line) for line in raw if line.text.strip()]


def _page_line(line: RawLine) -> PageLine:
    bbox = BBox(*line.box)
    if bbox.height > _VERTICAL * bbox.width:
        return PageLine(bbox, (Word(bbox, line.text.strip(), line.score),), bbox.width * _EM_SHARE, confidence=line.score)
    text = f"${line.text.strip(' $')}$" if line.kind == "formula" else line.text
    return PageLine(bbox, _words(text, bbox, line.score), bbox.height * _EM_SHARE, confidence=line.score)


def _words(text: str, bbox: BBox, score: float) -> tuple[Word, ...]:
    words, start = [], 0
    for part in text.split(" "):
        if part.strip():
            x0, x1 = (bbox.x0 + bbox.width * at / len(text) for at in (start, start + len(part)))
            words.append(Word(BBox(x0, bbox.y0, x1, bbox.y1), part.strip(), score))
        start += len(part) + 1
    return tuple(words)


def claim(drafts: Sequence[Draft], lines: Sequence[PageLine]) -> list[PageLine]:
    """Give every line to the draft that holds most of it; returns the lines that lie in none.

    Text under a seal or a picture belongs to the text block it is in; of two that hold a line alike, to the smaller one.
    """
    free = []
    for line in lines:
        holders = [draft for draft in drafts if _share(line, draft) >= _INSIDE]
        if holders:
            min(holders, key=lambda draft: (draft.label in CUT_OUT, -round(_share(line, draft), 1), draft.bbox.area)).lines.append(line)
        else:
            free.append(line)
    return free


def _share(line: PageLine, draft: Draft) -> float:
    return line.bbox.intersection(draft.bbox) / max(1.0, line.bbox.area)
