"""A page engine whose pages have one block of each kind and each doubt, and a picture; orders are those of `tests/fakes/engine.py`."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from typing_extensions import override

from ocr_service.domain.blocks import (
    Block,
    ContentFormat,
    LayoutLabel,
    Refinement,
    RefinementStatus,
    Source,
    TableCell,
    TableGrid,
    TextLine,
)
from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.engines.config import EngineConfig
from ocr_service.engines.pictures.page_image import page_image
from tests.fakes.engine import FakeEngine

WIDTH, HEIGHT = 1000, 1414
REJECTED = Refinement(RefinementStatus.REJECTED, "digits contradict the evidence", 0.81, 2, "Итого 99 000,00 руб.")
ACCEPTED = Refinement(RefinementStatus.ACCEPTED, "agrees with the evidence", 0.97, 2)
LATEX = r"E = mc^2 + \frac{a}{b}"
GRID = TableGrid(
    2,
    2,
    (
        TableCell(0, 0, "Наименование", is_header=True),
        TableCell(0, 1, "Сумма, руб.", is_header=True),
        TableCell(1, 0, "Кабель"),
        TableCell(1, 1, "140 250,00"),
    ),
)


def blocks(page: int) -> tuple[Block, ...]:
    kinds = [
        Block("b01", LayoutLabel.DOC_TITLE, _box(0), 0, f"Акт № {page}", Source.TEXT_LAYER, level=1),
        Block("b02", LayoutLabel.TEXT, _box(1), 1, f"Страница {page}: всё прочитано.", Source.OCR, confidence=0.98),
        Block("b03", LayoutLabel.LIST_ITEM, _box(2), 2, "первый пункт", Source.OCR, confidence=0.97, marker="1."),
        Block("b04", LayoutLabel.LIST_ITEM, _box(3), 3, "второй пункт", Source.OCR, confidence=0.52, marker="2."),
        Block(
            "b05",
            LayoutLabel.TABLE,
            _box(4),
            4,
            "",
            Source.TABLE_MODEL,
            format=ContentFormat.HTML,
            confidence=0.96,
            table=GRID,
            lines=(TextLine(BBox(110, 640, 300, 680), "Кабель", 0.99), TextLine(BBox(500, 640, 800, 680), "140 250,00", 0.71)),
        ),
        Block("b06", LayoutLabel.FORMULA, _box(5), 5, LATEX, Source.VLM, format=ContentFormat.LATEX, refinement=ACCEPTED),
        Block("b07", LayoutLabel.TEXT, _box(6), 6, "Итого 90 000,00 руб.", Source.OCR, confidence=0.95, refinement=REJECTED),
        Block("b08", LayoutLabel.TEXT, _box(7), 7, "Счёт 40702, доля $x_1$", Source.VLM, refinement=ACCEPTED, warnings=("digits_differ",)),
        Block("b09", LayoutLabel.NUMBER, _box(8), 8, str(page), Source.OCR, confidence=0.99),
    ]
    return tuple(kinds)


def _box(row: int) -> BBox:
    return BBox(100, 60 + 140 * row, 900, 160 + 140 * row)


class RichEngine(FakeEngine):
    name = "rich fake engine"

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        plain = super().analyse(source, page, options)
        picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
        found = blocks(page)
        for block in found:
            cv2.putText(picture, block.id, (110, round(block.bbox.y0) + 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (40, 40, 40), 2)
        pictures = (page_image(page, picture),) if options.image else ()
        return replace(plain, upright=Upright(WIDTH, HEIGHT), blocks=found, pictures=pictures)


def build(_config: EngineConfig) -> RichEngine:
    return RichEngine()
