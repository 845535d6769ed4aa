from __future__ import annotations

import cv2
import numpy as np

from ocr_service.engines.page.page_size import Image
from ocr_service.engines.tables.table_rulings import find_drawn_tables

UPRIGHT, LEVEL = (300, 420, 600), (300, 340, 380)


def page_with_grid(*, of_letters: bool) -> Image:
    """A small grid of 2×2 below a row of strokes like the figure 1; `of_letters`: ink on both sides of its upright lines, as of letters."""
    page = np.full((1000, 1000), 255, np.uint8)
    for x in range(100, 900, 40):
        cv2.line(page, (x, 100), (x, 140), 0, 2)
    for y in LEVEL:
        cv2.line(page, (UPRIGHT[0], y), (UPRIGHT[-1], y), 0, 2)
    for x in UPRIGHT:
        cv2.line(page, (x, LEVEL[0]), (x, LEVEL[-1]), 0, 2)
        for y in range(LEVEL[0] + 4, LEVEL[-1], 10) if of_letters else ():
            cv2.rectangle(page, (x + 5, y), (x + 11, y + 6), 0, -1)
            cv2.rectangle(page, (x - 11, y), (x - 5, y + 6), 0, -1)
    return page


def test_a_small_grid_that_is_drawn_is_a_table() -> None:
    [table] = find_drawn_tables(page_with_grid(of_letters=False), 200)
    assert (table.rows, table.columns) == (2, 2)


def test_stems_of_letters_in_a_few_lines_of_text_are_none() -> None:
    assert find_drawn_tables(page_with_grid(of_letters=True), 200) == []
