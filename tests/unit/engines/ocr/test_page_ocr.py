from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import override

from ocr_service.domain.geometry import BBox
from ocr_service.engines.ocr.detection import DetectedLine, TextDetector
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.page_ocr import PageOcr
from ocr_service.engines.ocr.reading import LineReader, ReadWord
from ocr_service.engines.page.ocr_line import OcrLine
from ocr_service.engines.page.words import Word


class Detects(TextDetector):
    """Finds what it was told."""

    def __init__(self, *lines: DetectedLine) -> None:
        self._lines = list(lines)

    @override
    def __call__(self, gray: NDArray[np.uint8]) -> list[DetectedLine]:
        return list(self._lines)


class ReadsSizes:
    """Reads every line as its width and height, so that a test sees how it was cut."""

    name = "sizes"

    def for_page(self, sample: Sequence[LinePicture]) -> LineReader:
        return self

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        return (ReadWord(f"{line.width}x{line.height}", 0.9, 0, line.width),)


def page() -> NDArray[np.uint8]:
    return np.full((400, 1000), 255, np.uint8)


def lines(detected: list[DetectedLine], cells: list[BBox] | None = None, gray: NDArray[np.uint8] | None = None) -> list[OcrLine]:
    return PageOcr(Detects(*detected)).read(page() if gray is None else gray, cells or [], ReadsSizes())


def test_a_line_over_two_cells_is_cut_at_their_border() -> None:
    cells = [BBox(100, 80, 300, 120), BBox(300, 80, 500, 120)]
    first, second = lines([DetectedLine(300, 100, 300, 24, 0, 1)], cells)
    assert (first.bbox.x0, first.bbox.x1) == (150, 300)
    assert (second.bbox.x0, second.bbox.x1) == (300, 450)
    assert (first.text, second.text) == ("150x24", "150x24")


def test_a_line_within_one_cell_stays_whole() -> None:
    [found] = lines([DetectedLine(200, 100, 180, 24, 0, 1)], [BBox(100, 80, 300, 120), BBox(300, 80, 500, 120)])
    assert found.bbox == BBox(110, 88, 290, 112)


def test_a_line_that_only_touches_the_next_cell_stays_whole() -> None:
    [found] = lines([DetectedLine(205, 100, 200, 24, 0, 1)], [BBox(100, 80, 300, 120), BBox(300, 80, 500, 120)])
    assert found.bbox.width == 200


def test_a_line_that_is_mostly_outside_of_the_table_stays_whole() -> None:
    [found] = lines([DetectedLine(500, 100, 900, 24, 0, 1)], [BBox(100, 80, 200, 120), BBox(200, 80, 300, 120)])
    assert found.bbox.width == 900


def test_a_lone_digit_that_escaped_the_detector_is_read_in_its_cell() -> None:
    gray = page()
    cv2.putText(gray, "7", (640, 112), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 0, 2)
    seen = DetectedLine(200, 100, 180, 24, 0, 1)
    left, found = lines([seen], [BBox(100, 80, 300, 120), BBox(600, 80, 700, 120)], gray)
    assert left.bbox == BBox(110, 88, 290, 112)
    assert 600 < found.bbox.x0 < 650 < found.bbox.x1 < 700


def test_an_empty_cell_stays_empty() -> None:
    assert len(lines([DetectedLine(200, 100, 180, 24, 0, 1)], [BBox(100, 80, 300, 120), BBox(600, 80, 700, 120)])) == 1


def test_lines_come_from_top_to_bottom_and_from_left_to_right() -> None:
    found = lines([DetectedLine(700, 50, 90, 20, 0, 1), DetectedLine(200, 200, 80, 20, 0, 1), DetectedLine(200, 50, 70, 20, 0, 1)])
    assert [line.text for line in found] == ["70x20", "90x20", "80x20"]


def test_a_line_that_stands_on_its_side_is_read_lying() -> None:
    [found] = lines([DetectedLine(500, 200, 30, 200, 0, 1)])
    assert found.text == "200x30"
    assert found.bbox == BBox(485, 100, 515, 300)


def test_a_word_lies_where_its_line_was_cut_out() -> None:
    [found] = lines([DetectedLine(200, 100, 180, 24, 0, 1)])
    assert found.words[0].bbox == BBox(110, 88, 290, 112)


def test_a_page_without_lines_has_none() -> None:
    assert lines([]) == []


def test_confidence_is_the_mean_over_letters() -> None:
    box = BBox(0, 0, 10, 10)
    assert OcrLine(box, (Word(box, "аааа", 1.0), Word(box, "бб", 0.4))).confidence == pytest.approx(0.8)
