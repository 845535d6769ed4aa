from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.bullets import with_bullets
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word

# A line's box as the detector makes it: 35 pixels for letters of 25.
HEIGHT = 35


def page() -> NDArray[np.uint8]:
    gray = np.full((600, 900), 250, np.uint8)
    cv2.rectangle(gray, (100, 500), (800, 560), 10, -1)
    return gray


def line(y: float, text: str = "соответствие накладной", x0: float = 270, gray: NDArray[np.uint8] | None = None) -> PageLine:
    """A line, and on `gray` something of the size of its first letter, which is no bullet."""
    if gray is not None:
        cv2.rectangle(gray, (int(x0) + 6, int(y) + 8), (int(x0) + 20, int(y) + 27), 10, -1)
    bbox = BBox(x0, y, x0 + 300, y + HEIGHT)
    return PageLine(bbox, (Word(bbox, text, 0.9),), 25.0, confidence=0.9)


def dot(gray: NDArray[np.uint8], y: float, x: int = 225, radius: int = 5) -> None:
    cv2.circle(gray, (x, int(y) + HEIGHT // 2), radius, 10, -1)


def dash(gray: NDArray[np.uint8], y: float, x: int = 215, width: int = 18) -> None:
    cv2.rectangle(gray, (x, int(y) + 17), (x + width, int(y) + 19), 10, -1)


def texts(lines: list[PageLine], gray: NDArray[np.uint8]) -> list[str]:
    return [found.text for found in with_bullets(lines, gray)]


def test_dots_one_under_another_are_bullets_and_part_of_the_line() -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150, 200)]
    for y in (100, 200):
        dot(gray, y)
    first, second, third = with_bullets(lines, gray)
    assert first.text == third.text == "• соответствие накладной"
    assert first.words[0].bbox == BBox(220, 112, 231, 123)
    assert first.bbox == BBox(220, 100, 570, 135)
    assert second is lines[1]


def test_dashes_one_under_another_are_bullets() -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150)]
    for y in (100, 150):
        dash(gray, y)
    assert texts(lines, gray) == ["– соответствие накладной"] * 2


def test_a_bullet_that_the_detector_took_into_the_line_is_found_before_its_first_word() -> None:
    gray = page()
    lines = []
    for y in (100, 150):
        line(y, gray=gray)
        dot(gray, y)
        word = Word(BBox(272, y, 570, y + HEIGHT), "слово", 0.9)
        lines.append(PageLine(BBox(215, y, 570, y + HEIGHT), (word,), 25.0, confidence=0.9))
    assert texts(lines, gray) == ["• слово"] * 2


def test_one_mark_alone_may_be_dirt() -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150)]
    dot(gray, 100)
    assert with_bullets(lines, gray) == tuple(lines)


@pytest.mark.parametrize(("x", "radius"), [(245, 5), (210, 8)])
def test_marks_that_do_not_stand_one_under_another_or_differ_are_no_list(x: int, radius: int) -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150)]
    dot(gray, 100, x=210)
    dot(gray, 150, x=x, radius=radius)
    assert with_bullets(lines, gray) == tuple(lines)


def test_a_leader_of_dots_is_no_bullet() -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150)]
    for y in (100, 150):
        for x in range(205, 262, 12):
            dot(gray, y, x=x, radius=3)
    assert with_bullets(lines, gray) == tuple(lines)


def test_a_sign_between_two_texts_of_a_row_is_no_bullet() -> None:
    gray = page()
    lines = []
    for y in (100, 150):
        lines += [line(y, "итого", x0=-100), line(y, "рублей", gray=gray)]
        dash(gray, y)
    assert with_bullets(lines, gray) == tuple(lines)


def test_a_minus_before_numbers_is_no_bullet() -> None:
    gray = page()
    lines = [line(y, "12,50", gray=gray) for y in (100, 150)]
    for y in (100, 150):
        dash(gray, y)
    assert with_bullets(lines, gray) == tuple(lines)


def test_an_underscore_is_no_bullet() -> None:
    gray = page()
    lines = [line(y, gray=gray) for y in (100, 150)]
    for y in (100, 150):
        dash(gray, y + 12)
    assert with_bullets(lines, gray) == tuple(lines)


def test_a_page_without_lines_or_ink() -> None:
    assert with_bullets([], np.full((50, 50), 255, np.uint8)) == ()
    blank = [line(10)]
    assert with_bullets(blank, np.full((80, 600), 255, np.uint8)) == tuple(blank)
