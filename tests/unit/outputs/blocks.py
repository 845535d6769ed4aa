"""Short ways to say what a page holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableCell, TableGrid
from ocr_service.domain.documents import PageAnalysis, PageError, PageResult, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Upright

WIDTH, HEIGHT = 1654, 2339


def block(content: str, label: LayoutLabel = LayoutLabel.TEXT, **fields: Any) -> Block:
    defaults: dict[str, Any] = {"id": "b1", "bbox": BBox(200, 200, 1450, 240), "order": 0, "source": Source.OCR}
    return Block(label=label, content=content, **{**defaults, **fields})


def item(marker: str, content: str, x0: float = 200, y0: float = 200) -> Block:
    return block(content, LayoutLabel.LIST_ITEM, marker=marker, bbox=BBox(x0, y0, 1450, y0 + 40))


def grid(*rows: str, header_rows: int = 0) -> TableGrid:
    """A grid without spans; the cells of a row are parted by "|"."""
    texts = [row.split("|") for row in rows]
    cells = (TableCell(r, c, text, is_header=r < header_rows) for r, row in enumerate(texts) for c, text in enumerate(row))
    return TableGrid(len(texts), len(texts[0]), tuple(cells))


def table(*rows: str, header_rows: int = 0, **fields: Any) -> Block:
    return block("", LayoutLabel.TABLE, format=ContentFormat.HTML, table=grid(*rows, header_rows=header_rows), **fields)


def picture(name: str = "p0001-b01.png", **fields: Any) -> Block:
    return block(name, LayoutLabel.IMAGE, format=ContentFormat.IMAGE, **fields)


def page(number: int, *blocks: Block, text_layer: bool = False, **fields: Any) -> PageResult:
    numbered = tuple(replace(each, id=f"b{index + 1}", order=index) for index, each in enumerate(blocks))
    verdict = TextLayerVerdict(text_layer, "trusted" if text_layer else "no text")
    analysis = PageAnalysis(number, 200, Upright(WIDTH, HEIGHT), verdict, numbered)
    return PageResult(number, replace(analysis, **fields))


def failed_page(number: int) -> PageResult:
    return PageResult(number, error=PageError("page_timed_out", "The page took longer than 60 s."), attempts=2)
