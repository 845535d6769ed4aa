"""What PP-StructureV3 found on a page becomes its blocks, in its reading order. Nothing that was found or read is dropped here.

The library itself drops a good deal between its parts: a seal that lies on text, a picture that overlaps a table, lines outside of all
regions; and where it dropped a table, it gives its cells to the next one. So blocks are made of all regions, and each table gets the cells
of its own region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocr_service.domain.blocks import Block, LayoutLabel, Source, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.drafts import Draft, block_of, body_size_of, items, name_captions, paragraphs
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word
from ocr_service.engines.pictures.figures import CUT_OUT
from ocr_service.engines.structure_v3.labels import layout_label
from ocr_service.engines.structure_v3.lines import claim, page_lines
from ocr_service.engines.structure_v3.raw import RawPage, RawTable
from ocr_service.engines.structure_v3.table_cells import grid_of, with_all_lines, with_text_of
from ocr_service.engines.tables.page_tables import find_tables
from ocr_service.engines.tables.table_rulings import find_drawn_tables

# A picture that is mostly text is a scan inside a page, or the model's mistake: its text is text. One line may be a disc read as "0".
_TEXT_SHARE = 0.3
_TEXT_LINES = 3
_SAME = 0.9
# Difference of grey between ink and paper below which a region without text is taken for blank.
_LEAST_CONTRAST = 40


@dataclass(frozen=True, slots=True)
class PageContext:
    """The upright page: its picture in grey, the dpi, and its own text's lines where these are trusted, else None."""

    gray: Image
    dpi: int
    layer: Sequence[PageLine] | None = None


@dataclass(slots=True)
class _Found:
    """A draft, and what the library made of its region."""

    draft: Draft
    content: str = ""
    table: RawTable | None = None


def blocks_of(raw: RawPage, context: PageContext) -> tuple[Block, ...]:
    """The blocks of a page."""
    ocr = page_lines(raw.lines)
    lines = ocr if context.layer is None else list(context.layer)
    found = _found(raw)
    drafts = [item.draft for item in found]
    free = claim(drafts, lines)
    if context.layer is not None:
        _read_where_the_layer_is_silent(drafts, ocr)
    finished: list[Draft] = []
    for item in found:
        finished += _finished(item, context)
    for group in paragraphs(free):
        _insert(finished, Draft(LayoutLabel.TEXT, BBox.around(line.bbox for line in group), group))
    name_captions(finished)
    size, source = (raw.width, raw.height), Source.OCR if context.layer is None else Source.TEXT_LAYER
    body_size = body_size_of([line for draft in finished if draft.table is None for line in draft.lines])
    return tuple(block_of(draft, order, size, source, body_size) for order, draft in enumerate(finished))


def _found(raw: RawPage) -> list[_Found]:
    """The library's blocks in its order, then the regions that it dropped where they belong in that order."""
    found = []
    for block in raw.blocks:
        label, warning = layout_label(block.label)
        found.append(_Found(Draft(label, BBox(*block.box), [], warnings=(warning,) if warning else ()), block.content))
    for region in raw.regions:
        label, warning = layout_label(region.label)
        box = BBox(*region.box)
        # A text region inside another one is said twice; a picture, a seal or a table is something of its own.
        if label in CUT_OUT and not any(_is_same(box, item.draft.bbox) for item in found):
            draft = Draft(label, box, [], warnings=(warning,) if warning else ())
            found.insert(_place([item.draft for item in found], draft), _Found(draft))
    _give_tables(raw, found)
    _give_seals_and_charts(raw, found)
    return found


def _give_tables(raw: RawPage, found: Sequence[_Found]) -> None:
    """Tables were recognised in the order of all table regions, whatever became of these afterwards."""
    boxes = [BBox(*region.box) for region in raw.regions if region.label == "table"]
    if len(boxes) != len(raw.tables):
        return
    for box, table in zip(boxes, raw.tables, strict=True):
        for item in found:
            if item.draft.label is LayoutLabel.TABLE and _is_same(box, item.draft.bbox):
                item.table = table


def _give_seals_and_charts(raw: RawPage, found: Sequence[_Found]) -> None:
    """What was read on seals and charts, as lines of their blocks: their content is the picture."""
    seals = [[(text, score) for text, score in zip(seal.texts, seal.scores, strict=False)] for seal in raw.seals]
    charts = [[(row, 1.0) for row in chart.splitlines()] for chart in raw.charts]
    for kind, texts in (("seal", seals), ("chart", charts)):
        boxes = [BBox(*region.box) for region in raw.regions if region.label == kind]
        for box, rows in zip(boxes, texts, strict=False):
            owner = next((item.draft for item in found if item.draft.label == kind and _is_same(box, item.draft.bbox)), None)
            if owner is not None:
                owner.lines += [_line_on(box, text, score) for text, score in rows if text.strip()]
                owner.source = Source.OCR


def _line_on(box: BBox, text: str, score: float) -> PageLine:
    return PageLine(box, (Word(box, text, score),), box.height, confidence=score)


def _read_where_the_layer_is_silent(drafts: Sequence[Draft], ocr: Sequence[PageLine]) -> None:
    """A region that the file's own text says nothing about (letters drawn as outlines, a stamp) is read from its picture."""
    silent = [draft for draft in drafts if not draft.lines and draft.label not in CUT_OUT]
    speaking = [draft for draft in drafts if draft.lines]
    claim(silent, [line for line in ocr if not any(line.bbox.intersection(draft.bbox) > 0 for draft in speaking)])
    for draft in silent:
        draft.source = Source.OCR if draft.lines else None


def _finished(item: _Found, context: PageContext) -> list[Draft]:
    draft = item.draft
    if draft.label is LayoutLabel.TABLE:
        return _table(item, context)
    if draft.label in CUT_OUT:
        return [draft] if not _is_mostly_text(draft) else _text_of_picture(draft)
    if draft.label is LayoutLabel.FORMULA and item.content.strip() and any(line.text.startswith("$") for line in draft.lines):
        draft.latex = item.content.strip().strip("$").strip()
        return [draft]
    if not draft.lines:
        return _unread(draft, context.gray)
    if draft.label in {LayoutLabel.TEXT, LayoutLabel.LIST_ITEM}:
        parts = items(draft.label, draft.lines)
        for part in parts:
            part.source, part.warnings = draft.source, draft.warnings
        return parts
    return [draft]


def _table(item: _Found, context: PageContext) -> list[Draft]:
    draft = item.draft
    grid = grid_of(item.table) if item.table is not None else None
    if grid is not None and draft.source is None and context.layer is not None:
        grid = with_text_of(grid, draft.bbox, draft.lines)
    elif grid is not None:
        grid, forgotten = with_all_lines(grid, draft.lines)
        draft.source = Source.TABLE_MODEL
        if forgotten:
            draft.warnings += (f"The table model left out {forgotten} lines; they were put into the cells they touch.",)
    if grid is None:
        grid = _own_grid(draft, context)
    if grid is None and not draft.lines:
        return _unread(draft, context.gray)
    if grid is None:
        draft.label = LayoutLabel.TEXT
        draft.warnings += ("The layout model sees a table here, but its cells were not found.",)
    draft.table = grid
    return [draft]


def _own_grid(draft: Draft, context: PageContext) -> TableGrid | None:
    """The grid by the table's lines and gaps, without the library's models."""
    ruled = [table for table in find_drawn_tables(context.gray, context.dpi) if table.bbox.intersection(draft.bbox) > 0.5 * draft.bbox.area]
    tables, _ = find_tables(ruled[:1], [Region("table", draft.bbox)], draft.lines, context.gray, context.dpi)
    return tables[0].grid if tables else None


def _is_mostly_text(draft: Draft) -> bool:
    text_area = sum(line.bbox.area for line in draft.lines)
    return draft.label is LayoutLabel.IMAGE and len(draft.lines) >= _TEXT_LINES and text_area > _TEXT_SHARE * draft.bbox.area


def _text_of_picture(draft: Draft) -> list[Draft]:
    return [
        Draft(LayoutLabel.TEXT, BBox.around(line.bbox for line in group), group, source=draft.source, warnings=draft.warnings)
        for group in paragraphs(draft.lines)
    ]


def _unread(draft: Draft, gray: Image) -> list[Draft]:
    """A text region in which nothing was read: a picture of it where there is ink (handwriting, a signature), nothing on blank paper."""
    x0, y0, x1, y1 = (int(value) for value in draft.bbox.clipped(gray.shape[1], gray.shape[0]))
    patch = gray[y0:y1, x0:x1]
    if not patch.size or int(np.percentile(patch, 90)) - int(patch.min()) < _LEAST_CONTRAST:
        return []
    warning = f"The layout model calls this {draft.label.value}, but nothing was read; it is kept as a picture."
    return [Draft(LayoutLabel.IMAGE, draft.bbox, [], warnings=(*draft.warnings, warning))]


def _is_same(left: BBox, right: BBox) -> bool:
    """Whether both are the same region; the library rounds boxes on the way."""
    return left.intersection(right) > _SAME * max(left.area, right.area)


def _insert(drafts: list[Draft], draft: Draft) -> None:
    drafts.insert(_place(drafts, draft), draft)


def _place(drafts: Sequence[Draft], draft: Draft) -> int:
    """Where a draft belongs in an order that is not to be changed: after the lowest one above it in its column, or before all below."""
    above = [index for index, other in enumerate(drafts) if other.bbox.center.y <= draft.bbox.center.y and _in_one_column(other, draft)]
    if above:
        return max(above, key=lambda index: (drafts[index].bbox.center.y, index)) + 1
    below = [index for index, other in enumerate(drafts) if other.bbox.center.y > draft.bbox.center.y]
    return min(below, default=len(drafts))


def _in_one_column(left: Draft, right: Draft) -> bool:
    return min(left.bbox.x1, right.bbox.x1) > max(left.bbox.x0, right.bbox.x0)
