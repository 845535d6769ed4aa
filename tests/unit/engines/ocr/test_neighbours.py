"""Lines stand close on paper: what comes in from above and below is not read with a line, and nothing of the line itself goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.neighbours import without_neighbours

PAPER, INK = 250, 20
HEIGHT, WIDTH = 50, 600
LETTER = (slice(14, 36), slice(100, 115))
TAIL = (slice(30, 50), slice(200, 206))
FOOT_ABOVE = (slice(0, 6), slice(300, 312))
HEAD_BELOW = (slice(44, 50), slice(400, 412))


def picture(*parts: tuple[slice, slice]) -> NDArray[np.uint8]:
    pixels = np.full((HEIGHT, WIDTH), PAPER, np.uint8)
    for part in parts:
        pixels[part] = INK
    return pixels


def cleaned(*parts: tuple[slice, slice]) -> NDArray[np.uint8]:
    return without_neighbours(LinePicture(picture(*parts), 7.0, 9.0)).pixels


def test_feet_from_above_and_heads_from_below_are_paper() -> None:
    assert (cleaned(LETTER, FOOT_ABOVE, HEAD_BELOW) == picture(LETTER)).all()


def test_a_letter_whose_tail_reaches_the_edge_stays() -> None:
    assert (cleaned(TAIL, HEAD_BELOW) == picture(TAIL)).all()


def test_a_comma_that_does_not_reach_the_edge_stays() -> None:
    comma = (slice(40, 48), slice(120, 124))
    assert (cleaned(LETTER, comma, FOOT_ABOVE) == picture(LETTER, comma)).all()


def test_a_rule_to_write_on_stays() -> None:
    rule = (slice(47, 50), slice(100, 400))
    assert (cleaned(LETTER, rule) == picture(LETTER, rule)).all()


def test_the_place_on_the_page_stays_and_the_page_is_not_painted_on() -> None:
    page = picture(LETTER, FOOT_ABOVE)
    alone = without_neighbours(LinePicture(page, 7.0, 9.0))
    assert (alone.left, alone.top, alone.pixels.shape) == (7.0, 9.0, page.shape)
    assert (page[FOOT_ABOVE] == INK).all()


def test_a_line_without_neighbours_is_given_back_as_it_is() -> None:
    for parts in ((LETTER,), (LETTER, TAIL), ()):
        line = LinePicture(picture(*parts), 0.0, 0.0)
        assert without_neighbours(line) is line
