from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.overlooked_pictures import overlooked_pictures
from tests.unit.engines.drawn import gray
from tests.unit.engines.pdf_pages import RUSSIAN, pdf_with

SIZE = (1653, 2339)
PHOTO = BBox(400, 1000, 1200, 1600)


def paper(colour: int = 255) -> NDArray[np.uint8]:
    return np.full((SIZE[1], SIZE[0]), colour, np.uint8)


def with_photo(page: NDArray[np.uint8], box: BBox = PHOTO) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = (int(value) for value in box)
    page[y0:y1, x0:x1] = np.random.default_rng(1).integers(60, 190, (y1 - y0, x1 - x0), np.uint8)
    return page


@pytest.mark.parametrize("colour", [255, 225])
def test_a_photograph_that_nobody_named_is_found_where_it_is(colour: int) -> None:
    [region] = overlooked_pictures(with_photo(paper(colour)), SIZE, 200, [])
    assert region.kind == "picture"
    assert tuple(region.bbox) == pytest.approx(tuple(PHOTO), abs=8)


def test_the_page_may_be_given_at_another_resolution() -> None:
    small = cv2.resize(with_photo(paper()), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    [region] = overlooked_pictures(np.asarray(small, np.uint8), SIZE, 200, [])
    assert tuple(region.bbox) == pytest.approx(tuple(PHOTO), abs=8)


def test_what_is_known_already_is_not_found_again() -> None:
    assert overlooked_pictures(with_photo(paper()), SIZE, 200, [PHOTO]) == []


def test_text_and_frames_and_lines_are_no_pictures() -> None:
    page = gray(pdf_with(f"{RUSSIAN} {RUSSIAN}")[0])
    cv2.rectangle(page, (300, 1500), (1300, 2100), 0, 3)
    cv2.line(page, (100, 1400), (1500, 1400), 0, 4)
    assert overlooked_pictures(page, SIZE, 200, []) == []


def test_a_small_logo_and_a_whole_page_and_a_shadow_at_the_edge_are_no_pictures() -> None:
    for box in (BBox(400, 400, 500, 500), BBox(30, 30, 1620, 2300), BBox(0, 0, 300, 2339)):
        assert overlooked_pictures(with_photo(paper(), box), SIZE, 200, []) == []
