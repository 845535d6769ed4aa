"""The default engine without a GPU: everything it needs comes in its packages.

A page whose own text can be trusted is read from the file; any other is rendered, put upright and OCRed. Both ways then go through the same
tables and the same assembly of blocks.
"""

from __future__ import annotations

from dataclasses import replace

import cv2

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.domain.errors import PageFailed
from ocr_service.domain.ports import PageEngine
from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.digital_page import DigitalPageReader
from ocr_service.engines.layout.regions import LayoutModel
from ocr_service.engines.ocr.detection import TextDetector
from ocr_service.engines.ocr.page_ocr import PageOcr
from ocr_service.engines.ocr.readers import WHEEL_MODELS, Readers
from ocr_service.engines.scanned_page import ScannedPageReader
from ocr_service.engines.source.source_file import OpenSource, SourcePage, open_source
from ocr_service.engines.stopwatch import Stopwatch
from ocr_service.engines.text_layer.layer_choice import choose
from ocr_service.engines.text_layer.trust import examine
from ocr_service.engines.upright import UprightFinder


class EmbeddedEngine:
    """Text layer, PP-OCRv6 small with Tesseract, PyMuPDF's layout, our own table grids."""

    def __init__(self, config: EngineConfig) -> None:
        """Loads every model. Raises EngineSetupError that says what is missing."""
        # One thread a worker: the pool has as many workers as there are cores.
        cv2.setNumThreads(1)
        self._config = config
        self._readers = Readers(config)
        layout = LayoutModel()
        ocr = PageOcr(TextDetector(WHEEL_MODELS / "PP-OCRv6_det_small.onnx"))
        upright = UprightFinder(WHEEL_MODELS / "ch_ppocr_mobile_v2.0_cls_mobile.onnx")
        self._digital = DigitalPageReader(layout)
        self._scanned = ScannedPageReader(layout, ocr, upright)

    @property
    def name(self) -> str:
        return f"embedded ({self._readers.for_language(self._config.lang).name}; PyMuPDF layout)"

    def inspect(self, source: SourceFile) -> DocumentInfo:
        with self._open(source) as opened:
            return opened.info()

    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        with self._open(source) as opened:
            return self._analyse(opened.page(page), page, options)

    def _open(self, source: SourceFile) -> OpenSource:
        return open_source(source, max_pages=self._config.max_pages, max_megapixels=self._config.max_page_megapixels)

    def _analyse(self, page: SourcePage, number: int, options: PageOptions) -> PageAnalysis:
        watch = Stopwatch()
        resolution = page.size.resolution(options.dpi)
        warnings = (resolution.warning,) if resolution.warning else ()
        # A page may be too large for the dpi that was asked for.
        options = replace(options, dpi=resolution.dpi)
        with watch.stage("text_layer"):
            report = examine(page, resolution.dpi)
        choice = choose(report, options.text_layer)
        if choice.lines is not None:
            found = self._digital.read(page, number, choice.lines, options, watch)
        else:
            try:
                reader = self._readers.for_language(options.lang)
            except EngineSetupError as error:
                raise PageFailed(f"This service cannot read {options.lang!r}: {error}") from error
            found = self._scanned.read(page, number, reader, options, watch)
        return PageAnalysis(
            page=number,
            dpi=resolution.dpi,
            upright=found.upright,
            text_layer=choice.verdict,
            blocks=found.blocks,
            pictures=found.pictures,
            timings=watch.seconds,
            warnings=(*warnings, *page.warnings),
            questions=found.questions,
        )


def build(config: EngineConfig) -> PageEngine:
    """The factory that page workers call."""
    return EmbeddedEngine(config)
