"""Lines, regions and tables of a page become its blocks, in reading order. Nothing that was read is dropped here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableGrid
from ocr_service.domain.geometry import BBox, Point
from ocr_service.domain.text import join_lines
from ocr_service.engines.headings import heading_level
from ocr_service.engines.layout import Region
from ocr_service.engines.page_lines import PageLine, mean_confidence, row_texts, rows
from ocr_service.engines.reading_order import reading_order
from ocr_service.engines.running import running_label

_LABELS = {
    "title": LayoutLabel.DOC_TITLE,
    "section-header": LayoutLabel.PARAGRAPH_TITLE,
    "list-item": LayoutLabel.LIST_ITEM,
    "caption": LayoutLabel.FIGURE_TITLE,
    "footnote": LayoutLabel.FOOTNOTE,
    "formula": LayoutLabel.FORMULA,
}
_BULLET = r"[•‣▪▫■□●○◦◆◇➢➤►∙·*–—−-]"
_MARKER = re.compile(rf"^(?P<marker>{_BULLET}|\d{{1,3}}(?:\.\d{{1,3}})*[.)]|[a-zа-яё][.)])\s+(?P<rest>\S.*)$", re.DOTALL | re.IGNORECASE)
_BULLETED = re.compile(rf"^{_BULLET}\s+\S")
_TABLE_TITLE = re.compile(r"^\s*(?:таблица|табл\.|table|продолжение таблицы|表)\b", re.IGNORECASE)
# A picture that is mostly text is a scan inside a page, or the model's mistake: its text is text.
_TEXT_SHARE = 0.3
_PAGE_SHARE = 0.5
_PARAGRAPH_GAP = 1.1
_VERY_EDGE = 0.055


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table on the page: its box, its grid with text, and the lines that went into it."""

    bbox: BBox
    grid: TableGrid
    lines: tuple[PageLine, ...]


@dataclass(frozen=True, slots=True)
class PageParts:
    """All that was found on a page. Boxes are upright page pixels; `lines` are those outside of tables."""

    width: int
    height: int
    lines: tuple[PageLine, ...]
    regions: tuple[Region, ...]
    tables: tuple[FoundTable, ...]
    source: Source


@dataclass(slots=True)
class _Draft:
    """A block before it has its place."""

    label: LayoutLabel
    bbox: BBox
    lines: list[PageLine]
    table: TableGrid | None = None


def assemble(parts: PageParts) -> tuple[Block, ...]:
    """The page's blocks: running heads first, running feet last, the rest in reading order between them."""
    body_size = _body_size(parts.lines)
    drafts = [_Draft(LayoutLabel.TABLE, table.bbox, list(table.lines), table.grid) for table in parts.tables]
    free = list(parts.lines)
    for region in _by_specificity(parts.regions):
        if _is_in_table(region.bbox, parts.tables):
            continue
        inside = [line for line in free if region.bbox.contains(line.bbox.center)]
        draft = _draft(region, inside, parts, body_size)
        if draft is not None:
            free = [line for line in free if not region.bbox.contains(line.bbox.center)]
            drafts += draft
    drafts += [_Draft(LayoutLabel.TEXT, BBox.around(line.bbox for line in group), group) for group in _paragraphs(free)]
    _name_captions(drafts)
    return tuple(_block(draft, order, parts, body_size) for order, draft in enumerate(_in_order(drafts)))


def _by_specificity(regions: Sequence[Region]) -> list[Region]:
    """Regions in the model's order, pictures last: the lines inside them are claimed by any text region first."""
    return sorted(regions, key=lambda region: region.kind == "picture")


def _draft(region: Region, lines: list[PageLine], parts: PageParts, body_size: float) -> list[_Draft] | None:
    if region.kind == "picture":
        return _picture(region, lines, parts)
    if not lines:
        return None
    bbox = BBox.around(line.bbox for line in lines)
    kind = _at_the_very_edge(region, lines, bbox, parts.height)
    if kind in {"page-header", "page-footer"}:
        size = float(np.median([line.size for line in lines]))
        text = " ".join(row_texts(lines))
        gap = _widest_gap(region, lines, parts.regions) / parts.width
        label = running_label(kind, text, bbox, parts.height, relative_size=size / body_size, widest_gap=gap)
        return [_Draft(label or LayoutLabel.TEXT, bbox, lines)]
    label = _LABELS.get(region.kind, LayoutLabel.TEXT)
    if label in {LayoutLabel.TEXT, LayoutLabel.LIST_ITEM}:
        return _items(label, lines)
    return [_Draft(label, bbox, lines)]


def _at_the_very_edge(region: Region, lines: Sequence[PageLine], bbox: BBox, height: int) -> str:
    """The region's kind; but one line of text at the very edge is treated as a head or foot, which the model misses on short pages."""
    if region.kind == "text" and len(rows(lines)) == 1:
        if bbox.y1 < _VERY_EDGE * height:
            return "page-header"
        if bbox.y0 > (1 - _VERY_EDGE) * height:
            return "page-footer"
    return region.kind


def _widest_gap(region: Region, lines: Sequence[PageLine], regions: Sequence[Region]) -> float:
    """The widest blank in pixels on a line of the region, or between it and one of its kind that stands beside it."""
    within = [right.bbox.x0 - left.bbox.x1 for row in rows(lines) for left, right in pairwise(row)]
    beside = [
        max(other.bbox.x0 - region.bbox.x1, region.bbox.x0 - other.bbox.x1)
        for other in regions
        if other.kind == region.kind and other.bbox.y0 < region.bbox.center.y < other.bbox.y1
    ]
    return max([0.0, *within, *beside])


def _items(label: LayoutLabel, lines: list[PageLine]) -> list[_Draft]:
    """A region of text; where several of its rows begin with a bullet, one list item each."""
    grouped = rows(lines)
    starts = [index for index, row in enumerate(grouped) if _BULLETED.match(" ".join(line.text for line in row))]
    if not starts or (len(starts) == 1 and starts[0] != 0):
        return [_Draft(label, BBox.around(line.bbox for line in lines), lines)]
    bounds = sorted({0, *starts, len(grouped)})
    drafts = []
    for first, last in pairwise(bounds):
        part = [line for row in grouped[first:last] for line in row]
        part_label = LayoutLabel.LIST_ITEM if first in starts else label
        drafts.append(_Draft(part_label, BBox.around(line.bbox for line in part), part))
    return drafts


def _picture(region: Region, lines: list[PageLine], parts: PageParts) -> list[_Draft] | None:
    bbox = region.bbox.clipped(parts.width, parts.height)
    if bbox.area < 1:
        return None
    text_area = sum(line.bbox.area for line in lines)
    if text_area > _TEXT_SHARE * bbox.area or bbox.area > _PAGE_SHARE * parts.width * parts.height:
        return None
    return [_Draft(LayoutLabel.IMAGE, bbox, lines)]


def _is_in_table(bbox: BBox, tables: Sequence[FoundTable]) -> bool:
    return any(bbox.intersection(table.bbox) > 0.6 * bbox.area for table in tables)


def _paragraphs(lines: Sequence[PageLine]) -> list[list[PageLine]]:
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


def _name_captions(drafts: list[_Draft]) -> None:
    """A caption is a table's title if it says so, or if the nearest table is nearer than the nearest picture."""
    for draft in drafts:
        if draft.label is LayoutLabel.FIGURE_TITLE:
            to_table, to_picture = (_distance(draft, drafts, label) for label in (LayoutLabel.TABLE, LayoutLabel.IMAGE))
            if _TABLE_TITLE.match(" ".join(row_texts(draft.lines))) or to_table < to_picture:
                draft.label = LayoutLabel.TABLE_TITLE


def _distance(draft: _Draft, drafts: Sequence[_Draft], label: LayoutLabel) -> float:
    others = [other.bbox for other in drafts if other.label is label]
    return min((max(0.0, box.y0 - draft.bbox.y1, draft.bbox.y0 - box.y1) for box in others), default=float("inf"))


def _in_order(drafts: list[_Draft]) -> list[_Draft]:
    heads = [draft for draft in drafts if draft.label is LayoutLabel.HEADER]
    feet = [draft for draft in drafts if draft.label in {LayoutLabel.FOOTER, LayoutLabel.NUMBER}]
    body = [draft for draft in drafts if not draft.label.is_running]
    ordered = [body[index] for index in reading_order([draft.bbox for draft in body])]
    return [*sorted(heads, key=_top), *ordered, *sorted(feet, key=_top)]


def _top(draft: _Draft) -> float:
    return draft.bbox.y0


def _block(draft: _Draft, order: int, parts: PageParts, body_size: float) -> Block:
    bbox = draft.bbox.clipped(parts.width, parts.height)
    block = Block(
        id=f"b{order + 1:02d}",
        label=draft.label,
        bbox=bbox,
        order=order,
        content=join_lines(row_texts(draft.lines)),
        source=parts.source,
        polygon=(Point(bbox.x0, bbox.y0), Point(bbox.x1, bbox.y0), Point(bbox.x1, bbox.y1), Point(bbox.x0, bbox.y1)),
        confidence=mean_confidence(draft.lines),
        lines=tuple(line.as_text_line() for line in draft.lines),
    )
    if draft.table is not None:
        return replace(block, format=ContentFormat.HTML, content="", table=draft.table)
    if draft.label is LayoutLabel.IMAGE:
        return replace(block, format=ContentFormat.IMAGE, content="")
    if draft.label.is_heading:
        return replace(block, level=_level(draft, block.content, body_size))
    if draft.label is LayoutLabel.LIST_ITEM:
        return _with_marker(block)
    return block


def _level(draft: _Draft, text: str, body_size: float) -> int:
    if draft.label is LayoutLabel.DOC_TITLE:
        return 1
    return heading_level(text, float(np.median([line.size for line in draft.lines])), body_size)


def _with_marker(block: Block) -> Block:
    match = _MARKER.match(block.content)
    if match is None:
        return replace(block, label=LayoutLabel.TEXT)
    return replace(block, content=match["rest"], marker=match["marker"])


def _body_size(lines: Sequence[PageLine]) -> float:
    """The usual height of letters: the median over letters, 1 for a page without text."""
    letters = [size for line in lines for size in [line.size] * max(1, len(line.text))]
    return float(np.median(letters)) if letters else 1.0
