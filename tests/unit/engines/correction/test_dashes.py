from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.dashes import dashes

READ = [BBox(20, 20, 120, 52)]
CELL = BBox(200, 10, 400, 70)


def page(*marks: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    gray = np.full((200, 600), 245, np.uint8)
    cv2.rectangle(gray, (20, 24), (120, 48), 20, -1)
    for x0, y0, x1, y1 in marks:
        cv2.rectangle(gray, (x0, y0), (x1, y1), 20, -1)
    return gray


def test_a_dash_alone_in_its_cell_is_read() -> None:
    [line] = dashes(page((290, 38, 312, 40)), [CELL], READ)
    assert line.text == "—"
    assert CELL.contains(line.bbox.center)


def test_a_thin_dash_on_a_sheet_askew_is_read() -> None:
    gray = page((290, 38, 299, 39), (300, 39, 309, 40), (310, 40, 319, 41))
    assert [line.text for line in dashes(gray, [CELL], READ)] == ["—"]


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [(290, 38, 293, 40)],
        [(290, 25, 312, 55)],
        [(210, 38, 390, 40)],
        [(290, 64, 312, 66)],
        [(290, 38, 312, 40), (330, 30, 345, 50)],
    ],
    ids=["nothing", "a dot", "a block", "a rule", "a line to write on", "a dash and a letter"],
)
def test_nothing_else_is_a_dash(marks: list[tuple[int, int, int, int]]) -> None:
    assert dashes(page(*marks), [CELL], READ) == []


def test_a_cell_with_text_has_no_dash_of_its_own() -> None:
    assert dashes(page((290, 38, 312, 40)), [CELL], [*READ, BBox(220, 25, 280, 55)]) == []


def test_a_page_without_tables_has_none() -> None:
    assert dashes(page((290, 38, 312, 40)), [], READ) == []
