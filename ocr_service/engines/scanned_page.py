"""A page that is read from its picture: put upright, rulings out of the way, OCR, layout."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ocr_service.domain.blocks import Source
from ocr_service.domain.documents import PageOptions
from ocr_service.domain.geometry import Upright
from ocr_service.engines.correction.bullets import with_bullets
from ocr_service.engines.correction.letter_case import with_true_case
from ocr_service.engines.correction.list_sequence import with_counted_markers
from ocr_service.engines.correction.number_letter import with_number_letters
from ocr_service.engines.layout.overlooked_pictures import overlooked_pictures, taken
from ocr_service.engines.layout.page_blocks import PageParts, assemble
from ocr_service.engines.layout.regions import LayoutModel
from ocr_service.engines.ocr.page_ocr import PageOcr
from ocr_service.engines.ocr.reading import PageReader
from ocr_service.engines.page.ocr_line import OcrLine
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.pictures.crops import cut_questions
from ocr_service.engines.pictures.figures import cut_pictures
from ocr_service.engines.pictures.page_image import page_image
from ocr_service.engines.read_page import ReadPage
from ocr_service.engines.source.source_file import SourcePage
from ocr_service.engines.stopwatch import Stopwatch
from ocr_service.engines.tables.column_signs import with_column_signs
from ocr_service.engines.tables.page_tables import find_tables
from ocr_service.engines.tables.table_rulings import find_tables_and_clean
from ocr_service.engines.upright import UprightFinder, put_upright

# The detector's boxes are grown beyond the letters by about so much.
_EM_SHARE = 0.72
# Tables and layout are looked for at fixed resolutions. A longer page (than A1) is taken for a sheet of this length in
# inches, so that what was rendered coarsely because of its size is not blown up again: a poster would take gigabytes.
_LONGEST_IN = 33.2


class ScannedPageReader:
    """Reads scans and pages whose own text cannot be trusted."""

    def __init__(self, layout: LayoutModel, ocr: PageOcr, upright: UprightFinder) -> None:
        self._layout = layout
        self._ocr = ocr
        self._upright = upright

    def read(self, page: SourcePage, number: int, reader: PageReader, options: PageOptions, watch: Stopwatch) -> ReadPage:
        """The page at the dpi of the options."""
        dpi = options.dpi
        with watch.stage("render"):
            rgb = page.render(dpi)
        with watch.stage("upright"):
            pose = self._upright(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
            rgb = put_upright(rgb, pose.orientation, pose.skew)
            gray = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        dpi = max(dpi, round(max(gray.shape) / _LONGEST_IN))
        with watch.stage("tables"):
            ruled, clean = find_tables_and_clean(gray, dpi)
        with watch.stage("ocr"):
            cells = [cell.bbox for table in ruled for cell in table.cells]
            lines = with_true_case([_page_line(line) for line in self._ocr.read(clean, cells, reader)], clean)
            lines = with_bullets(with_number_letters(lines, clean), clean)
        with watch.stage("layout"):
            regions = self._layout.of_picture(gray, lines, dpi)
        with watch.stage("assemble"):
            tables, rest = find_tables(ruled, regions, lines, gray, dpi)
            tables = tuple(replace(table, grid=with_column_signs(table.grid)) for table in tables)
            height, width = gray.shape
            regions += overlooked_pictures(gray, (width, height), dpi, taken(rest, tables, regions))
            blocks = with_counted_markers(assemble(PageParts(width, height, rest, tuple(regions), tables, Source.OCR)))
            blocks, pictures = cut_pictures(blocks, number, rgb)
        if options.image:
            with watch.stage("image"):
                pictures = (*pictures, page_image(number, rgb))
        with watch.stage("crops"):
            questions = cut_questions(blocks, rgb, dpi, options)
        return ReadPage(Upright(width, height, pose.orientation, pose.skew), blocks, pictures, questions)


def _page_line(line: OcrLine) -> PageLine:
    return PageLine(line.bbox, line.words, line.bbox.height * _EM_SHARE, confidence=line.confidence)
