"""The engine for machines with a GPU: PP-StructureV3's layout, tables and reading order; a page's own text where it can be trusted.

It reads one page at a time. Pages in batches would need a request of several pages in `workers/protocol.py` and a pool that collects them;
what a batch gains is small here, because the library itself recognises text and tables page by page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.domain.errors import PageFailed
from ocr_service.domain.geometry import Upright
from ocr_service.domain.ports import PageEngine
from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.digital_page import upright_line
from ocr_service.engines.ocr.readers import WHEEL_MODELS
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.pictures.crops import cut_questions
from ocr_service.engines.pictures.figures import cut_pictures
from ocr_service.engines.pictures.page_image import page_image
from ocr_service.engines.read_page import ReadPage
from ocr_service.engines.source.source_file import OpenSource, SourcePage, open_source
from ocr_service.engines.stopwatch import Stopwatch
from ocr_service.engines.structure_v3.blocks import PageContext, blocks_of
from ocr_service.engines.structure_v3.device import engine_options
from ocr_service.engines.structure_v3.models import find_models, recogniser
from ocr_service.engines.structure_v3.pipeline import StructurePipeline
from ocr_service.engines.structure_v3.raw import RawPage
from ocr_service.engines.text_layer.layer_choice import choose
from ocr_service.engines.text_layer.layer_text import LayerLine, main_direction
from ocr_service.engines.text_layer.trust import examine
from ocr_service.engines.upright import UprightFinder, put_upright, turn

# Each holds all models once more. A request may name any language, so there has to be an end to it.
_MOST_PIPELINES = 2


class StructureV3Engine:
    """PP-StructureV3. Not thread-safe, nor may another thread than the one that made it use it."""

    def __init__(self, config: EngineConfig) -> None:
        """Loads the models for `config.lang`. Raises EngineSetupError that says what is missing."""
        self._config = config
        self._options = engine_options(config)
        self._pipelines: OrderedDict[str, StructurePipeline] = OrderedDict()
        self._upright = UprightFinder(WHEEL_MODELS / "ch_ppocr_mobile_v2.0_cls_mobile.onnx")
        self._pipeline(config.lang)

    @property
    def name(self) -> str:
        return f"structure_v3 (PP-StructureV3; {recogniser(self._config.lang)}; {self._config.runtime} on {self._config.device})"

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
        try:
            pipeline = self._pipeline(options.lang)
        except EngineSetupError as error:
            raise PageFailed(f"This service cannot read {options.lang!r}: {error}.") from error
        resolution = page.size.resolution(options.dpi)
        with watch.stage("text_layer"):
            choice = choose(examine(page, resolution.dpi), options.text_layer)
        # A page may be too large for the dpi that was asked for.
        options = replace(options, dpi=resolution.dpi)
        with watch.stage("render"):
            rgb = page.render(resolution.dpi)
        job = _Job(pipeline, number, rgb, options, watch)
        found, failures = job.of_scan(self._upright) if choice.lines is None else job.with_layer(choice.lines)
        return PageAnalysis(
            page=number,
            dpi=resolution.dpi,
            upright=found.upright,
            text_layer=choice.verdict,
            blocks=found.blocks,
            pictures=found.pictures,
            timings=watch.seconds,
            warnings=(*((resolution.warning,) if resolution.warning else ()), *page.warnings, *failures),
            questions=found.questions,
        )

    def _pipeline(self, lang: str) -> StructurePipeline:
        """The models for a language; those used longest ago go when there are too many. Raises EngineSetupError."""
        name = recogniser(lang)
        if name not in self._pipelines:
            folders = find_models(self._config.models_path, lang, self._config.runtime)
            while len(self._pipelines) >= _MOST_PIPELINES:
                self._pipelines.popitem(last=False)
            self._pipelines[name] = StructurePipeline(folders, name, self._config.device, self._options)
        self._pipelines.move_to_end(name)
        return self._pipelines[name]


class _Job:
    """One rendered page on its way."""

    def __init__(self, pipeline: StructurePipeline, number: int, rgb: Image, options: PageOptions, watch: Stopwatch) -> None:
        self._pipeline = pipeline
        self._number = number
        self._rgb = rgb
        self._options = options
        self._watch = watch

    def of_scan(self, upright: UprightFinder) -> tuple[ReadPage, tuple[str, ...]]:
        """Deskewed by this service, turned by the library's classifier; the two turns can be made in either order."""
        with self._watch.stage("upright"):
            skew = upright(_gray(self._rgb)).skew
            straight = put_upright(self._rgb, 0, skew)
        with self._watch.stage("structure"):
            raw, failures = self._pipeline(straight, find_orientation=True)
        orientation = (360 - raw.angle) % 360
        return self._finished(raw, orientation, skew, turn(straight, orientation)), failures

    def with_layer(self, lines: Sequence[LayerLine]) -> tuple[ReadPage, tuple[str, ...]]:
        """The page's own text says how it stands, and what is written on it."""
        orientation = (360 - main_direction(lines)) % 360
        turned = turn(self._rgb, orientation)
        height, width = turned.shape[:2]
        layer = [upright_line(line, orientation, width, height, self._options.dpi) for line in lines]
        with self._watch.stage("structure"):
            raw, failures = self._pipeline(turned, find_orientation=False)
        return self._finished(raw, orientation, 0.0, turned, layer), failures

    def _finished(self, raw: RawPage, orientation: int, skew: float, rgb: Image, layer: Sequence[PageLine] | None = None) -> ReadPage:
        with self._watch.stage("assemble"):
            blocks, pictures = cut_pictures(blocks_of(raw, PageContext(_gray(rgb), self._options.dpi, layer)), self._number, rgb)
        if self._options.image:
            with self._watch.stage("image"):
                pictures = (*pictures, page_image(self._number, rgb))
        with self._watch.stage("crops"):
            questions = cut_questions(blocks, rgb, self._options.dpi, self._options)
        # Not the library's own size: its way of turning loses a row of pixels to rounding.
        height, width = rgb.shape[:2]
        return ReadPage(Upright(width, height, orientation, skew), blocks, pictures, questions)


def _gray(rgb: Image) -> Image:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def build(config: EngineConfig) -> PageEngine:
    """The factory that page workers call."""
    return StructureV3Engine(config)
