from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_lines import PageLine, mean_confidence, row_texts
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.cells import Span
from ocr_service.engines.tables.page_tables import find_tables
from ocr_service.engines.tables.ruled import RuledCell, RuledTable, find_ruled_tables

DPI = 200
TOP, LEFT, ROW, COLUMN = 300, 200, 60, 300


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """A ruled table of three rows and three columns on an empty page."""
    gray = np.full((1200, 1600), 255, np.uint8)
    for index in range(4):
        cv2.line(gray, (LEFT, TOP + index * ROW), (LEFT + 3 * COLUMN, TOP + index * ROW), 0, 2)
        cv2.line(gray, (LEFT + index * COLUMN, TOP), (LEFT + index * COLUMN, TOP + 3 * ROW), 0, 2)
    return gray


@pytest.fixture(scope="module")
def ruled(picture: NDArray[np.uint8]) -> list[RuledTable]:
    return find_ruled_tables(picture, DPI)


def cell_line(*cells: tuple[int, int, str]) -> PageLine:
    """A line of words that stand in these cells (row, column, text)."""
    words = []
    for row, column, text in cells:
        x, y = LEFT + column * COLUMN + 20, TOP + row * ROW + 15
        words.append(Word(BBox(x, y, x + 100, y + 30), text, 0.9))
    return PageLine(BBox.around(word.bbox for word in words), tuple(words), 22, confidence=0.9)


def text_line(text: str, y: float, x: float = 200) -> PageLine:
    words = tuple(Word(BBox(x + 110 * index, y, x + 110 * index + 100, y + 30), word, 0.8) for index, word in enumerate(text.split()))
    return PageLine(BBox.around(word.bbox for word in words), words, 22, confidence=0.8)


def test_words_go_into_the_cells_they_stand_in(picture: NDArray[np.uint8], ruled: list[RuledTable]) -> None:
    lines = [cell_line((0, 0, "а"), (0, 2, "в")), cell_line((1, 1, "д")), cell_line((2, 2, "и"))]
    [table], rest = find_tables(ruled, [], lines, picture, DPI)
    texts = {(cell.row, cell.column): cell.text for cell in table.grid.cells if cell.text}
    assert texts == {(0, 0): "а", (0, 2): "в", (1, 1): "д", (2, 2): "и"}
    assert (table.grid.rows, table.grid.columns) == (3, 3)
    assert rest == ()


def test_lines_outside_of_the_table_are_left(picture: NDArray[np.uint8], ruled: list[RuledTable]) -> None:
    above, below = text_line("текст над таблицей", 200), text_line("текст под таблицей", 700)
    [table], rest = find_tables(ruled, [], [above, cell_line((0, 0, "а")), below], picture, DPI)
    assert rest == (above, below)
    assert [line.text for line in table.lines] == ["а"]


def test_a_line_that_runs_out_of_the_table_is_divided_between_its_words(picture: NDArray[np.uint8], ruled: list[RuledTable]) -> None:
    inside = Word(BBox(850, TOP + 15, 950, TOP + 45), "внутри", 0.9)
    outside = Word(BBox(1200, TOP + 15, 1300, TOP + 45), "снаружи", 0.9)
    line = PageLine(BBox.around([inside.bbox, outside.bbox]), (inside, outside), 22)
    [table], rest = find_tables(ruled, [], [line], picture, DPI)
    assert [item.text for item in table.lines] == ["внутри"]
    assert [(item.text, item.bbox) for item in rest] == [("снаружи", outside.bbox)]


def test_a_page_without_tables_keeps_its_lines(picture: NDArray[np.uint8]) -> None:
    lines = (text_line("просто текст", 100),)
    assert find_tables([], [], lines, np.full_like(picture, 255), DPI) == ((), lines)


def test_lines_beside_each_other_are_one_row() -> None:
    lines = [text_line("справа", 102, x=900), text_line("ниже", 150), text_line("слева", 100)]
    assert row_texts(lines) == ["слева справа", "ниже"]


def test_mean_confidence_weighs_by_letters() -> None:
    assert mean_confidence([]) is None
    assert mean_confidence([text_line("аа", 0), cell_line((0, 0, "бб"))]) == pytest.approx(0.85)


def test_a_cell_from_border_to_border_that_holds_columns_is_a_table_whose_lines_are_lost() -> None:
    gray = np.full((1200, 1600), 255, np.uint8)
    for y in (TOP, TOP + ROW, TOP + 6 * ROW):
        cv2.line(gray, (LEFT, y), (LEFT + 4 * COLUMN, y), 0, 2)
    for index in (0, 2, 4):
        cv2.line(gray, (LEFT + index * COLUMN, TOP), (LEFT + index * COLUMN, TOP + (6 if index != 2 else 1) * ROW), 0, 2)
    head = [cell_line((0, 0, "Дата"), (0, 2, "14.02.2024"))]
    body = [cell_line((row, column, f"{row}{column}")) for row in range(1, 6) for column in range(4)]
    for line in (*head, *body):
        for word in line.words:
            cv2.rectangle(gray, (int(word.bbox.x0), int(word.bbox.y0) + 4), (int(word.bbox.x1), int(word.bbox.y1) - 4), 0, -1)
    drawn = find_ruled_tables(gray, DPI)
    assert [(table.rows, table.columns) for table in drawn] == [(2, 2)]
    found, rest = find_tables(drawn, [], [*head, *body], gray, DPI)
    assert [(table.grid.rows, table.grid.columns) for table in found] == [(1, 2), (5, 4)]
    assert [cell.text for cell in found[1].grid.cells if cell.row == 2] == ["30", "31", "32", "33"]
    assert rest == ()


def test_a_total_from_border_to_border_stays_in_its_table(picture: NDArray[np.uint8], ruled: list[RuledTable]) -> None:
    [table] = ruled
    cells = tuple(cell for cell in table.cells if cell.span.row < 2)
    total = RuledCell(Span(2, 0, 1, 3), BBox.around(cell.bbox for cell in table.cells if cell.span.row == 2))
    wide = RuledTable(table.bbox, 3, 3, (*cells, total))
    found, _ = find_tables([wide], [], [cell_line((0, 0, "а")), cell_line((2, 0, "Итого"), (2, 1, "по"), (2, 2, "акту"))], picture, DPI)
    assert [(one.grid.rows, one.grid.columns) for one in found] == [(3, 3)]
