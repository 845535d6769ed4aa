"""What will be a block: its lines, label and place are known, its text and level are made here, the same way for every engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableGrid
from ocr_service.domain.geometry import BBox, Point
from ocr_service.domain.text import join_lines
from ocr_service.engines.layout.headings import heading_level
from ocr_service.engines.page.page_lines import PageLine, mean_confidence, row_texts, rows
from ocr_service.engines.pictures.figures import CUT_OUT

_BULLET = r"[•‣▪▫■□●○◦◆◇➢➤►∙·*–—−-]"
_MARKER = re.compile(rf"^(?P<marker>{_BULLET}|\d{{1,3}}(?:\.\d{{1,3}})*[.)]|[a-zа-яё][.)])\s+(?P<rest>\S.*)$", re.DOTALL | re.IGNORECASE)
_BULLETED = re.compile(rf"^{_BULLET}\s+\S")
# «б)», «2)», «1.2.»: a marker by itself, which a row of prose may begin with too.
_COUNTED = re.compile(r"^(?:[а-яёa-z]\)|\d{1,2}\)|(?:\d{1,2}\.){1,4}(?=\s))\s*\S", re.IGNORECASE)
_ITEM_END = re.compile(r"[;.:,]\s*$")
_INDENT = 1.5
_TABLE_TITLE = re.compile(r"^\s*(?:таблица|табл\.|table|продолжение таблицы|表)\b", re.IGNORECASE)
_PARAGRAPH_GAP = 1.1


@dataclass(slots=True)
class Draft:
    """A block before it has its place. `source`: who read it, None for what the whole page was read by; `latex`: of a formula."""

    label: LayoutLabel
    bbox: BBox
    lines: list[PageLine]
    table: TableGrid | None = None
    source: Source | None = None
    latex: str | None = None
    warnings: tuple[str, ...] = ()


def items(label: LayoutLabel, lines: list[PageLine]) -> list[Draft]:
    """A region of text; where several of its rows begin with a bullet or with counted markers, one item each."""
    grouped = rows(lines)
    texts = [" ".join(line.text for line in row) for row in grouped]
    starts = [index for index, text in enumerate(texts) if _BULLETED.match(text)]
    counted = _counted(grouped, texts) if not starts else []
    if len(counted) < 2 and (not starts or (len(starts) == 1 and starts[0] != 0)):
        return [Draft(label, BBox.around(line.bbox for line in lines), lines)]
    bounds = sorted({0, *starts, *counted, len(grouped)})
    drafts = []
    for first, last in pairwise(bounds):
        part = [line for row in grouped[first:last] for line in row]
        part_label = LayoutLabel.LIST_ITEM if first in starts else label
        drafts.append(Draft(part_label, BBox.around(line.bbox for line in part), part))
    return drafts


def _counted(grouped: Sequence[Sequence[PageLine]], texts: Sequence[str]) -> list[int]:
    """The rows that begin with a marker, where the first one does: each behind an item that has ended, no further in than the first."""
    if not grouped or not _COUNTED.match(texts[0]):
        return []
    furthest = grouped[0][0].bbox.x0 + _INDENT * grouped[0][0].bbox.height
    later = (
        index
        for index in range(1, len(grouped))
        if _COUNTED.match(texts[index]) and _ITEM_END.search(texts[index - 1]) and grouped[index][0].bbox.x0 < furthest
    )
    return [0, *later]


def paragraphs(lines: Sequence[PageLine]) -> list[list[PageLine]]:
    """Lines that no region claimed, joined where they follow closely one under another."""
    groups: list[list[PageLine]] = []
    for line in sorted(lines, key=lambda item: (item.bbox.y0, item.bbox.x0)):
        for group in groups:
            last = BBox.around(item.bbox for item in group)
            close = line.bbox.y0 - last.y1 < _PARAGRAPH_GAP * line.bbox.height
            if close and min(last.x1, line.bbox.x1) - max(last.x0, line.bbox.x0) > 0:
                group.append(line)
                break
        else:
            groups.append([line])
    return groups


def name_captions(drafts: list[Draft]) -> None:
    """A caption is a table's title if it says so, or if the nearest table is nearer than the nearest picture."""
    for draft in drafts:
        if draft.label is LayoutLabel.FIGURE_TITLE:
            to_table, to_picture = (_distance(draft, drafts, label) for label in (LayoutLabel.TABLE, LayoutLabel.IMAGE))
            if _TABLE_TITLE.match(" ".join(row_texts(draft.lines))) or to_table < to_picture:
                draft.label = LayoutLabel.TABLE_TITLE


def _distance(draft: Draft, drafts: Sequence[Draft], label: LayoutLabel) -> float:
    others = [other.bbox for other in drafts if other.label is label]
    return min((max(0.0, box.y0 - draft.bbox.y1, draft.bbox.y0 - box.y1) for box in others), default=float("inf"))


def block_of(draft: Draft, order: int, size: tuple[int, int], source: Source, body_size: float) -> Block:
    """The block. `size`: the page's width and height in pixels; `body_size`: see `body_size_of`."""
    bbox = draft.bbox.clipped(*size)
    block = Block(
        id=f"b{order + 1:02d}",
        label=draft.label,
        bbox=bbox,
        order=order,
        content=join_lines(row_texts(draft.lines)),
        source=draft.source or source,
        polygon=(Point(bbox.x0, bbox.y0), Point(bbox.x1, bbox.y0), Point(bbox.x1, bbox.y1), Point(bbox.x0, bbox.y1)),
        confidence=mean_confidence(draft.lines),
        lines=tuple(line.as_text_line() for line in draft.lines),
        warnings=draft.warnings,
    )
    if draft.table is not None:
        return replace(block, format=ContentFormat.HTML, content="", table=draft.table)
    if draft.label in CUT_OUT:
        return replace(block, format=ContentFormat.IMAGE, content="")
    if draft.latex is not None:
        return replace(block, format=ContentFormat.LATEX, content=draft.latex)
    if draft.label.is_heading:
        return replace(block, level=_level(draft, block.content, body_size))
    if draft.label is LayoutLabel.LIST_ITEM:
        return _with_marker(block)
    return block


def _level(draft: Draft, text: str, body_size: float) -> int:
    if draft.label is LayoutLabel.DOC_TITLE:
        return 1
    return heading_level(text, float(np.median([line.size for line in draft.lines])), body_size)


def _with_marker(block: Block) -> Block:
    match = _MARKER.match(block.content)
    if match is None:
        return replace(block, label=LayoutLabel.TEXT)
    return replace(block, content=match["rest"], marker=match["marker"])


def body_size_of(lines: Sequence[PageLine]) -> float:
    """The usual height of letters: the median over letters, 1 for a page without text."""
    letters = [size for line in lines for size in [line.size] * max(1, len(line.text))]
    return float(np.median(letters)) if letters else 1.0
