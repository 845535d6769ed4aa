"""A page engine without models, so that the real server with real workers can be tested fast.

What it does is written in the upload itself, after the `%PDF-` mark: `pages=300 seconds=0.05`. A document may also say

- `gate=FILE`: its pages wait until the file exists; with `gate_after=N` only those after page N;
- `fails=N`: page N cannot be read;
- `unsure=1`: OCR is unsure of every page, so that the VLM is asked about it if the request wants that; the crop of page 3 is b"page 3";
- `trace=FILE`: every page appends a line with the document's `name` and the page's number.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from ocr_service.domain.blocks import Block, LayoutLabel, Source, TextLine
from ocr_service.domain.documents import DocumentInfo, MediaType, PageAnalysis, PageOptions, SourceFile, TextLayerVerdict
from ocr_service.domain.errors import DocumentUnreadable, PageFailed
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.domain.questions import question_about
from ocr_service.domain.vlm import Crop, Question
from ocr_service.engines.config import EngineConfig

_ORDER = re.compile(rb"(\w+)=(\S+)")


def _orders(source: SourceFile) -> dict[str, str]:
    head = source.path.read_bytes()[:1000]
    return {name.decode(): value.decode() for name, value in _ORDER.findall(head)}


class FakeEngine:
    name = "fake engine"

    def inspect(self, source: SourceFile) -> DocumentInfo:
        orders = _orders(source)
        if "pages" not in orders:
            raise DocumentUnreadable("The file is damaged.")
        return DocumentInfo(page_count=int(orders["pages"]))

    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        orders = _orders(source)
        if "trace" in orders:
            with Path(orders["trace"]).open("a", encoding="utf-8") as trace:
                trace.write(f"{orders.get('name', '')} {page}\n")
        is_gated = "gate" in orders and page > int(orders.get("gate_after", "0"))
        while is_gated and not Path(orders["gate"]).exists():
            time.sleep(0.01)
        time.sleep(float(orders.get("seconds", "0")))
        if orders.get("fails") == str(page):
            raise PageFailed("This page is damaged.")
        if "unsure" in orders:
            return _unsure(page, options)
        block = Block("b1", LayoutLabel.TEXT, BBox(0, 0, 10, 10), 0, f"Страница {page}", Source.OCR)
        verdict = TextLayerVerdict(used=False, reason="no text")
        return PageAnalysis(page, options.dpi, Upright(100, 100), verdict, (block,), timings={"read": 0.01})


def _unsure(page: int, options: PageOptions) -> PageAnalysis:
    box = BBox(0, 0, 100, 20)
    text = f"Предмет договорз номер {page}"
    block = Block("b1", LayoutLabel.TEXT, box, 0, text, Source.OCR, confidence=0.7, lines=(TextLine(box, text, 0.7),))
    task = question_about(block, options.vlm_policy, options.lang)
    crops = tuple(Crop("b1", box, 100, 20, MediaType.PNG, f"page {page}".encode()) for _ in range(2))
    questions = (Question("b1", task, crops),) if task is not None else ()
    verdict = TextLayerVerdict(used=False, reason="no text")
    return PageAnalysis(page, options.dpi, Upright(100, 100), verdict, (block,), questions=questions)


def build(_config: EngineConfig) -> FakeEngine:
    return FakeEngine()
