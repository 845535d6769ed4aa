"""Lines, regions and tables of a page become its blocks, in reading order. Nothing that was read is dropped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ocr_service.domain.blocks import Block, LayoutLabel, Source, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.drafts import Draft, block_of, body_size_of, items, name_captions, paragraphs
from ocr_service.engines.layout.headings import is_date, is_name_of_paper, is_place_or_date
from ocr_service.engines.layout.reading_order import reading_order
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.layout.running import running_label
from ocr_service.engines.page.page_lines import PageLine, row_texts, rows

_LABELS = {
    "title": LayoutLabel.DOC_TITLE,
    "section-header": LayoutLabel.PARAGRAPH_TITLE,
    "list-item": LayoutLabel.LIST_ITEM,
    "caption": LayoutLabel.FIGURE_TITLE,
    "footnote": LayoutLabel.FOOTNOTE,
    "formula": LayoutLabel.FORMULA,
}
# A picture that is mostly text is a scan inside a page, or the model's mistake: its text is text.
_TEXT_SHARE = 0.3
_PAGE_SHARE = 0.5
_VERY_EDGE = 0.055
_OFF_MIDDLE = 0.1


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


def assemble(parts: PageParts) -> tuple[Block, ...]:
    """The page's blocks: running heads first, running feet last, the rest in reading order between them."""
    body_size = body_size_of(parts.lines)
    drafts = [Draft(LayoutLabel.TABLE, table.bbox, list(table.lines), table.grid) for table in parts.tables]
    free = list(parts.lines)
    for region in _by_specificity(parts.regions):
        if _is_in_table(region.bbox, parts.tables):
            continue
        inside = [line for line in free if region.bbox.contains(line.bbox.center)]
        draft = _draft(region, inside, parts, body_size)
        if draft is not None:
            free = [line for line in free if not region.bbox.contains(line.bbox.center)]
            drafts += draft
    drafts += [Draft(LayoutLabel.TEXT, BBox.around(line.bbox for line in group), group) for group in paragraphs(free)]
    name_captions(drafts)
    size = (parts.width, parts.height)
    return tuple(block_of(draft, order, size, parts.source, body_size) for order, draft in enumerate(_in_order(drafts)))


def _by_specificity(regions: Sequence[Region]) -> list[Region]:
    """Regions in the model's order, pictures last: the lines inside them are claimed by any text region first."""
    return sorted(regions, key=lambda region: region.kind == "picture")


def _draft(region: Region, lines: list[PageLine], parts: PageParts, body_size: float) -> list[Draft] | None:
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
        if label is None and _is_title(lines, bbox, parts.width):
            label = LayoutLabel.PARAGRAPH_TITLE
        return [Draft(label or LayoutLabel.TEXT, bbox, lines)]
    label = _LABELS.get(region.kind, LayoutLabel.TEXT)
    if label.is_heading and (is_place_or_date(" ".join(row_texts(lines))) or _is_beside_date(lines, bbox, parts.lines)):
        label = LayoutLabel.TEXT
    if label is LayoutLabel.TEXT and _is_title(lines, bbox, parts.width):
        label = LayoutLabel.PARAGRAPH_TITLE
    if label in {LayoutLabel.TEXT, LayoutLabel.LIST_ITEM}:
        return items(label, lines)
    return [Draft(label, bbox, lines)]


def _is_title(lines: Sequence[PageLine], bbox: BBox, width: int) -> bool:
    """Whether it is a paper's name in the middle of a line of its own; the model misses some in letters of the usual size."""
    return abs(bbox.center.x - width / 2) < _OFF_MIDDLE * width and len(rows(lines)) == 1 and is_name_of_paper(" ".join(row_texts(lines)))


def _is_beside_date(lines: Sequence[PageLine], bbox: BBox, others: Sequence[PageLine]) -> bool:
    """Whether a date stands on the same row, as it does beside the place where a paper was signed; a paper's name may stand so too."""
    if len(rows(lines)) > 1 or is_name_of_paper(" ".join(row_texts(lines))):
        return False
    return any(bbox.y0 < line.bbox.center.y < bbox.y1 and line not in lines and is_date(line.text) for line in others)


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


def _picture(region: Region, lines: list[PageLine], parts: PageParts) -> list[Draft] | None:
    bbox = region.bbox.clipped(parts.width, parts.height)
    if bbox.area < 1:
        return None
    text_area = sum(line.bbox.area for line in lines)
    if text_area > _TEXT_SHARE * bbox.area or bbox.area > _PAGE_SHARE * parts.width * parts.height:
        return None
    return [Draft(LayoutLabel.IMAGE, bbox, lines)]


def _is_in_table(bbox: BBox, tables: Sequence[FoundTable]) -> bool:
    return any(bbox.intersection(table.bbox) > 0.6 * bbox.area for table in tables)


def _in_order(drafts: list[Draft]) -> list[Draft]:
    heads = [draft for draft in drafts if draft.label is LayoutLabel.HEADER]
    feet = [draft for draft in drafts if draft.label in {LayoutLabel.FOOTER, LayoutLabel.NUMBER}]
    body = [draft for draft in drafts if not draft.label.is_running]
    ordered = [body[index] for index in reading_order([draft.bbox for draft in body])]
    return [*sorted(heads, key=_top), *ordered, *sorted(feet, key=_top)]


def _top(draft: Draft) -> float:
    return draft.bbox.y0
