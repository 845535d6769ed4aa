"""Blocks as an engine leaves them, and answers about them."""

from __future__ import annotations

from collections.abc import Sequence

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableCell, TableGrid, TextLine
from ocr_service.domain.geometry import BBox
from ocr_service.domain.text import join_lines
from ocr_service.domain.vlm import FinishReason, VlmAnswer

LINE_HEIGHT = 30
CELL_WIDTH, CELL_HEIGHT = 200, 40


def text_block(
    *lines: str, confidence: float | None = 0.97, label: LayoutLabel = LayoutLabel.TEXT, confidences: Sequence[float | None] = ()
) -> Block:
    """One line under the other. `confidences`: of each line, instead of one for all."""
    source = Source.TEXT_LAYER if confidence is None else Source.OCR
    each = confidences or [confidence] * len(lines)
    read = tuple(
        TextLine(BBox(100, 100 + LINE_HEIGHT * index, 900, 125 + LINE_HEIGHT * index), text, sure)
        for index, (text, sure) in enumerate(zip(lines, each, strict=True))
    )
    box = BBox(100, 100, 900, 100 + LINE_HEIGHT * max(1, len(lines)))
    return Block("b01", label, box, 0, join_lines(lines), source, confidence=confidence, lines=read)


def table_block(rows: Sequence[Sequence[str]], confidence: float | None = 0.97) -> Block:
    """A table of equal cells, every text in the middle of its cell."""
    cells, lines = [], []
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            x, y = 100 + CELL_WIDTH * column, 100 + CELL_HEIGHT * row
            cells.append(TableCell(row, column, text, bbox=BBox(x, y, x + CELL_WIDTH, y + CELL_HEIGHT)))
            if text:
                lines.append(TextLine(BBox(x + 10, y + 5, x + CELL_WIDTH - 10, y + CELL_HEIGHT - 5), text, confidence))
    columns = len(rows[0])
    box = BBox(100, 100, 100 + CELL_WIDTH * columns, 100 + CELL_HEIGHT * len(rows))
    source = Source.TEXT_LAYER if confidence is None else Source.OCR
    grid = TableGrid(len(rows), columns, tuple(cells))
    return Block("b01", LayoutLabel.TABLE, box, 0, "", source, ContentFormat.HTML, confidence=confidence, lines=tuple(lines), table=grid)


def grid(rows: Sequence[Sequence[str]]) -> TableGrid:
    cells = tuple(TableCell(row, column, text) for row, texts in enumerate(rows) for column, text in enumerate(texts))
    return TableGrid(len(rows), len(rows[0]), cells)


def said(text: str, finish_reason: FinishReason = FinishReason.STOP, defect: str = "") -> VlmAnswer:
    return VlmAnswer(text, text, ContentFormat.TEXT, finish_reason, defect=defect)


def said_table(rows: Sequence[Sequence[str]]) -> VlmAnswer:
    text = "\n".join(" ".join(row) for row in rows)
    return VlmAnswer(text, text, ContentFormat.HTML, FinishReason.STOP, grid(rows))
