"""A page that is read from the file itself: its own characters, the layout model on its own drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.blocks import Source
from ocr_service.domain.documents import PageOptions
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.engines.layout.overlooked_pictures import overlooked_pictures, taken
from ocr_service.engines.layout.page_blocks import PageParts, assemble
from ocr_service.engines.layout.regions import LayoutModel, Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word
from ocr_service.engines.pictures.crops import asks, cut_questions
from ocr_service.engines.pictures.figures import cut_pictures, needs_picture
from ocr_service.engines.pictures.page_image import page_image, page_image_dpi
from ocr_service.engines.read_page import ReadPage
from ocr_service.engines.source.source_file import SourcePage
from ocr_service.engines.stopwatch import Stopwatch
from ocr_service.engines.tables.page_tables import find_tables
from ocr_service.engines.tables.ruled import RuledTable
from ocr_service.engines.tables.rulings import WORK_DPI
from ocr_service.engines.tables.table_rulings import find_drawn_tables
from ocr_service.engines.text_layer.layer_text import LayerLine, main_direction
from ocr_service.engines.upright import turn


class DigitalPageReader:
    """Reads born-digital pages."""

    def __init__(self, layout: LayoutModel) -> None:
        self._layout = layout

    def read(self, page: SourcePage, number: int, lines: Sequence[LayerLine], options: PageOptions, watch: Stopwatch) -> ReadPage:
        """`lines` in pixels of the displayed page at the dpi of the options. Where most text stands on its side, the page is turned."""
        dpi = options.dpi
        orientation = (360 - main_direction(lines)) % 360
        width, height = (round(side * dpi / 72) for side in (page.size.width_pt, page.size.height_pt))
        if orientation in {90, 270}:
            width, height = height, width
        with watch.stage("render"):
            gray = turn(page.render_gray(page.size.resolution(WORK_DPI).dpi), orientation)
        page_lines = [upright_line(line, orientation, width, height, dpi) for line in lines]
        with watch.stage("tables"):
            ruled = _scaled(find_drawn_tables(gray, WORK_DPI), width / gray.shape[1])
        with watch.stage("layout"):
            regions = self._regions(page, page_lines, gray, orientation, dpi)
        with watch.stage("assemble"):
            tables, rest = find_tables(ruled, regions, page_lines, gray, dpi)
            regions += overlooked_pictures(gray, (width, height), dpi, taken(rest, tables, regions))
            blocks = assemble(PageParts(width, height, rest, tuple(regions), tables, Source.TEXT_LAYER))
        found = ReadPage(Upright(width, height, orientation), blocks, (), ())
        if needs_picture(blocks) or asks(blocks, options):
            with watch.stage("crops"):
                rgb = turn(page.render(dpi), orientation)
                blocks, pictures = cut_pictures(blocks, number, rgb)
                found = replace(found, blocks=blocks, pictures=pictures, questions=cut_questions(blocks, rgb, dpi, options))
        if options.image:
            with watch.stage("image"):
                small = turn(page.render(page_image_dpi(width, height, dpi)), orientation)
                found = replace(found, pictures=(*found.pictures, page_image(number, small)))
        return found

    def _regions(self, page: SourcePage, lines: Sequence[PageLine], gray: Image, orientation: int, dpi: int) -> list[Region]:
        if not lines and not page.page.get_image_info():
            return []
        if orientation == 0 and page.page.rotation == 0 and not page.is_picture:
            return self._layout.of_digital(page.page, dpi)
        return self._layout.of_picture(gray, lines, dpi)


def upright_line(line: LayerLine, orientation: int, width: int, height: int, dpi: int) -> PageLine:
    """A line of the displayed page on the page turned clockwise by `orientation`, which is `width` × `height` pixels at `dpi`."""
    words = tuple(Word(_turned(word.bbox, orientation, width, height), word.text, word.confidence) for word in line.words)
    return PageLine(_turned(line.bbox, orientation, width, height), words, line.size_pt * dpi / 72, line.bold)


def _turned(box: BBox, orientation: int, width: int, height: int) -> BBox:
    """A box of the displayed page on the turned page, which is `width` × `height`."""
    if orientation == 90:
        return BBox(width - box.y1, box.x0, width - box.y0, box.x1)
    if orientation == 180:
        return BBox(width - box.x1, height - box.y1, width - box.x0, height - box.y0)
    if orientation == 270:
        return BBox(box.y0, height - box.x1, box.y1, height - box.x0)
    return box


def _scaled(tables: Sequence[RuledTable], factor: float) -> list[RuledTable]:
    return [
        replace(
            table,
            bbox=_times(table.bbox, factor),
            cells=tuple(replace(cell, bbox=_times(cell.bbox, factor)) for cell in table.cells),
        )
        for table in tables
    ]


def _times(box: BBox, factor: float) -> BBox:
    return BBox(*(value * factor for value in box))
