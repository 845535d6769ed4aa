from __future__ import annotations

import cv2
import numpy as np

from ocr_service.engines.tables.erase import remove_rulings
from ocr_service.engines.tables.rulings import find_rulings


def test_a_ruling_disappears() -> None:
    page = np.full((600, 900), 240, np.uint8)
    cv2.line(page, (80, 300), (820, 302), 20, 3)
    cv2.line(page, (400, 80), (400, 520), 20, 2)
    assert int(remove_rulings(page, find_rulings(page), 200).min()) > 180


def test_a_stroke_that_crosses_a_ruling_stays() -> None:
    page = np.full((600, 900), 240, np.uint8)
    cv2.line(page, (80, 300), (820, 300), 20, 2)
    cv2.line(page, (450, 288), (450, 312), 20, 3)
    clean = remove_rulings(page, find_rulings(page), 200)
    assert int(clean[288:313, 450].max()) < 100
    assert int(clean[300, 480:800].min()) > 180


def test_the_page_itself_is_not_changed() -> None:
    page = np.full((600, 900), 240, np.uint8)
    cv2.line(page, (80, 300), (820, 300), 20, 2)
    before = page.copy()
    remove_rulings(page, find_rulings(page), 200)
    assert np.array_equal(page, before)
