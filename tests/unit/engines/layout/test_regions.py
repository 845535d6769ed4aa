from __future__ import annotations

import cv2
import numpy as np
import pymupdf
import pytest

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.regions import LayoutModel, Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word
from tests.unit.engines.drawn import gray
from tests.unit.engines.pdf_pages import RUSSIAN, write

DPI = 200


@pytest.fixture(scope="module")
def layout() -> LayoutModel:
    return LayoutModel()


@pytest.fixture(scope="module")
def page() -> pymupdf.Page:
    """A heading, two paragraphs, and a page number."""
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    write(page, "Общие положения", top=80, size=20, font="tibo")
    write(page, RUSSIAN, top=130)
    write(page, RUSSIAN, top=300)
    page.insert_text((290, 815), "7", fontsize=9)
    return page


def lines_of(page: pymupdf.Page) -> list[PageLine]:
    """The page's lines, as an OCR would find them."""
    scale = DPI / 72
    lines = []
    for block in page.get_text("dict")["blocks"]:
        for item in block["lines"]:
            text = "".join(span["text"] for span in item["spans"]).strip()
            box = BBox(*(value * scale for value in item["bbox"]))
            lines.append(PageLine(box, (Word(box, text, 0.9),), 0.72 * box.height, confidence=0.9))
    return lines


def kinds(regions: list[Region]) -> list[str]:
    return [region.kind for region in sorted(regions, key=lambda region: region.bbox.y0)]


def test_a_born_digital_page_has_its_heading_its_text_and_its_foot(layout: LayoutModel, page: pymupdf.Page) -> None:
    assert kinds(layout.of_digital(page, DPI)) == ["section-header", "text", "text", "page-footer"]


def test_a_scan_with_the_lines_of_its_ocr_has_the_same_regions(layout: LayoutModel, page: pymupdf.Page) -> None:
    found = kinds(layout.of_picture(gray(page, DPI), lines_of(page), DPI))
    assert found[0] in {"section-header", "title"}
    assert found[1:] == ["text", "text", "page-footer"]


def test_regions_are_pixels_at_the_asked_resolution(layout: LayoutModel, page: pymupdf.Page) -> None:
    coarse, fine = (layout.of_digital(page, dpi) for dpi in (100, 200))
    for small, large in zip(coarse, fine, strict=True):
        assert tuple(large.bbox) == pytest.approx([2 * value for value in small.bbox])


def test_every_line_lies_in_a_region(layout: LayoutModel, page: pymupdf.Page) -> None:
    regions = layout.of_picture(gray(page, DPI), lines_of(page), DPI)
    assert all(any(region.bbox.contains(line.bbox.center) for region in regions) for line in lines_of(page))


@pytest.mark.parametrize("size", [(40, 30), (3, 900), (2339, 1653)])
def test_a_page_without_anything_has_no_regions_of_text(layout: LayoutModel, size: tuple[int, int]) -> None:
    assert [region for region in layout.of_picture(np.full(size, 255, np.uint8), [], DPI) if region.kind == "text"] == []


def test_lines_without_extent_or_with_unknown_letters_do_no_harm(layout: LayoutModel, page: pymupdf.Page) -> None:
    strange = [
        PageLine(BBox(100, 100, 100, 100), (Word(BBox(100, 100, 100, 100), "x"),), 1),
        PageLine(BBox(100, 200, 900, 230), (Word(BBox(100, 200, 900, 230), "\U0001f600\U000e0001ᚠ"),), 20),
        PageLine(BBox(-50, -50, 5000, 5000), (Word(BBox(-50, -50, 5000, 5000), "огромная"),), 900),
    ]
    picture = cv2.resize(gray(page, DPI), (1653, 2339))
    assert isinstance(layout.of_picture(picture, strange, DPI), list)
