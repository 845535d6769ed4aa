from __future__ import annotations

import numpy as np
import pytest

from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.number_letter import with_number_letters
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word

TOP, FOOT, WIDTH = 110, 130, 16


def read(text: str, *, last: int, grown_together: bool = False) -> str:
    """What becomes of a number on a page where its figures are 20 pixels high and its last character is `last` pixels high."""
    gray = np.full((300, 600), 245, np.uint8)
    final = max(place for place, char in enumerate(text) if char.isdigit())
    for place, char in enumerate(text):
        x = 100 + place * WIDTH
        if char.isdigit() or char == "/":
            gray[FOOT - (last if place == final else FOOT - TOP) : FOOT, x : x + WIDTH - (0 if grown_together else 4)] = 20
        elif char == "-":
            gray[120:122, x + 2 : x + 10] = 20
    box = BBox(98, TOP - 5, 102 + WIDTH * len(text), FOOT + 7)
    [line] = with_number_letters([PageLine(box, (Word(box, text, 0.9),), 20.0, confidence=0.9)], gray)
    return line.text


@pytest.mark.parametrize(("text", "meant"), [("412-0", "412-о"), ("118-3,", "118-з,"), ("12/4-0", "12/4-о")])
def test_a_low_figure_behind_the_hyphen_is_a_letter(text: str, meant: str) -> None:
    assert read(text, last=14) == meant
    assert read(text, last=20) == text
    assert read(text, last=18) == text


@pytest.mark.parametrize("text", ["412-7", "4120", "5-0", "41-30"])
def test_other_numbers_stay(text: str) -> None:
    assert read(text, last=14) == text


def test_figures_that_have_grown_together_tell_nothing() -> None:
    assert read("412-0", last=14, grown_together=True) == "412-0"
