from __future__ import annotations

import cv2
import numpy as np
import pytest

from ocr_service.domain.documents import MediaType
from ocr_service.engines.pictures.page_image import LONGEST_SIDE, page_image, page_image_dpi


def test_a_large_page_is_shown_smaller_in_its_own_colours_and_proportions() -> None:
    page = np.full((2400, 1700, 3), 255, np.uint8)
    page[:1200] = (200, 30, 10)
    picture = page_image(12, page)
    assert (picture.name, picture.media_type) == ("p0012.jpg", MediaType.JPEG)
    shown = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (LONGEST_SIDE, round(1700 * LONGEST_SIDE / 2400), 3)
    assert np.abs(shown[100, 100].astype(int) - (10, 30, 200)).max() < 12
    assert np.abs(shown[1500, 100].astype(int) - 255).max() < 12


def test_a_small_page_is_not_blown_up() -> None:
    shown = cv2.imdecode(np.frombuffer(page_image(1, np.zeros((30, 40, 3), np.uint8)).data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (30, 40, 3)


@pytest.mark.parametrize(("size", "dpi"), [((1654, 2339), 137), ((3308, 2339), 97), ((800, 600), 200), ((10, 400_000), 1)])
def test_a_page_is_rendered_for_its_picture_as_large_as_that_and_no_finer_than_it_is_read(size: tuple[int, int], dpi: int) -> None:
    assert page_image_dpi(*size, 200) == dpi
