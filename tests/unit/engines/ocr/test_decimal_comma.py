from __future__ import annotations

import numpy as np
import pytest

from ocr_service.engines.ocr.decimal_comma import with_commas
from ocr_service.engines.ocr.recognition import ReadChar

HEIGHT, WIDTH, TOP, FOOT = 24, 12, 4, 18


def written(text: str, tail: int) -> tuple[tuple[ReadChar, ...], np.ndarray[tuple[int, int], np.dtype[np.uint8]]]:
    """A line as read, and its picture: a box for each figure, and for each point two pixels that go `tail` pixels below the line."""
    pixels = np.full((HEIGHT, WIDTH * len(text)), 240, np.uint8)
    for place, char in enumerate(text):
        x = place * WIDTH
        if char.isdigit():
            pixels[TOP : FOOT + 1, x + 3 : x + 10] = 20
        elif char == ".":
            pixels[FOOT - 1 : FOOT + 1 + tail, x + 5 : x + 7] = 20
    return tuple(ReadChar(char, 0.95, (place + 0.5) / len(text)) for place, char in enumerate(text)), pixels


def read(text: str, tail: int) -> str:
    return "".join(char.text for char in with_commas(*written(text, tail)))


@pytest.mark.parametrize("text", ["4 416.00", "18.40", "24.86.", "24.86, "])
def test_a_point_with_a_tail_below_the_line_is_a_comma(text: str) -> None:
    assert read(text, tail=3) == text.replace(".", ",", 1)
    assert read(text, tail=0) == text
    assert read(text, tail=1) == text


@pytest.mark.parametrize("text", ["19.02.24", "1.1.3", "1,234.50", "12.", ".50", "7.2", "0.250", "19.02.2024"])
def test_dates_and_numbers_with_other_signs_stay_as_they_were_read(text: str) -> None:
    assert read(text, tail=3) == text


def test_an_empty_line_stays_empty() -> None:
    assert with_commas((), np.full((HEIGHT, 40), 240, np.uint8)) == ()
