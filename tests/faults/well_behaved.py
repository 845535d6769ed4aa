"""An engine without a fault, from which the others differ by one. It reads no file: the file's name says how many pages it has."""

from __future__ import annotations

import os

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.engines.config import EngineConfig


class WellBehaved:
    """Every page holds one block; its text is the number of the process that read it."""

    name = "well behaved"

    def inspect(self, source: SourceFile) -> DocumentInfo:
        return DocumentInfo(page_count=int(source.path.stem))

    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        block = Block("b1", LayoutLabel.TEXT, BBox(0, 0, 10, 10), 0, str(os.getpid()), Source.OCR)
        return PageAnalysis(page, options.dpi, Upright(100, 100), TextLayerVerdict(used=False, reason="no text"), (block,))


def first_time(source: SourceFile, what: str) -> bool:
    """True once per document and `what`, across processes: for faults that do not repeat."""
    marker = source.path.with_name(f"{what}.happened")
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def build(_config: EngineConfig) -> WellBehaved:
    return WellBehaved()
