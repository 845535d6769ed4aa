from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_service.domain.blocks import TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.borderless import borderless
from tests.unit.engines.tables.drawing import PAGE, Gray, draw_words

COLUMNS = (160, 480, 760, 1040)
HEIGHT = 26


def word(x: float, y: float, text: str) -> Word:
    """A word whose box fits its drawn letters."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, HEIGHT / 34, 2)
    return Word(BBox(x, y, x + width, y + HEIGHT), text, 0.9)


def row(y: float, *texts: str, columns: tuple[int, ...] = COLUMNS) -> list[Word]:
    """A line of the table: each text begins at its column; an empty one is left out."""
    words = []
    for x, text in zip(columns, texts, strict=False):
        at = float(x)
        for part in text.split():
            words.append(word(at, y, part))
            at = words[-1].bbox.x1 + 9
    return words


def page_of(words: list[Word], rules: tuple[tuple[int, int, int], ...] = ()) -> Gray:
    page = np.full(PAGE, 255, np.uint8)
    draw_words(page, words)
    for left, right, y in rules:
        cv2.line(page, (left, y), (right, y), 0, 2)
    return page


def read(words: list[Word], rules: tuple[tuple[int, int, int], ...] = ()) -> TableGrid | None:
    box = BBox.around(item.bbox for item in words)
    return borderless(BBox(box.x0 - 6, box.y0 - 6, box.x1 + 6, box.y1 + 6), words, page_of(words, rules), 200)


def texts(grid: TableGrid) -> list[list[str]]:
    return [[cell.text for cell in grid.cells if cell.row == index] for index in range(grid.rows)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["7.1", "33.3", "no", "yes", "0.5", "12"]), min_size=3, max_size=3), min_size=3, max_size=8),
    st.integers(34, 60),
)
def test_full_rows_of_short_cells_are_read_row_by_row(values: list[list[str]], pitch: int) -> None:
    expected = [[f"Case {index}", *line] for index, line in enumerate(values)]
    grid = read([item for index, line in enumerate(expected) for item in row(200 + index * pitch, *line)])
    assert grid is not None
    assert texts(grid) == expected


def test_an_empty_cell_is_kept() -> None:
    grid = read([*row(200, "A", "1", "2", "3"), *row(245, "B", "4", "", "6"), *row(290, "C", "7", "8", "9"), *row(335, "D", "1", "2", "3")])
    assert grid is not None
    assert texts(grid)[1] == ["B", "4", "", "6"]


def test_a_wrapped_cell_stays_in_its_row() -> None:
    words = [
        *row(200, "Treatment of the", "7.1", "4", "3"),
        *row(230, "illness", "", "", ""),
        *row(275, "Costs", "45", "35", "2"),
        *row(320, "Benefits", "1", "2", "0"),
    ]
    grid = read(words)
    assert grid is not None
    assert [line[0] for line in texts(grid)] == ["Treatment of the illness", "Costs", "Benefits"]


def test_a_short_line_that_had_room_above_is_a_row_of_its_own() -> None:
    words = [*row(200, "Tumour location area", "7.1", "4", "3"), *row(232, "Age", "9", "5", "1")]
    words += [*row(264, "Sex", "", "", ""), *row(296, "Male", "1", "2", "0")]
    grid = read(words)
    assert grid is not None
    assert [line[0] for line in texts(grid)] == ["Tumour location area", "Age", "Sex", "Male"]


def test_a_head_over_several_columns_spans_what_its_rule_covers() -> None:
    words = [*row(200, "", "", "Patients", ""), *row(250, "Group", "Men", "Women", "All")]
    words += [item for index in range(4) for item in row(300 + 45 * index, f"Set {index}", "10", "20", "30")]
    grid = read(words, rules=((150, 1120, 192), (480, 1120, 238), (150, 1120, 288), (150, 1120, 500)))
    assert grid is not None
    assert [(cell.column, cell.colspan, cell.text) for cell in grid.cells if cell.row == 0] == [(0, 1, ""), (1, 3, "Patients")]
    assert texts(grid)[1] == ["Group", "Men", "Women", "All"]
    assert [cell.is_header for cell in grid.cells if cell.row in (0, 1)] == [True] * 6


def test_a_head_cell_in_the_middle_of_two_columns_spans_them() -> None:
    columns = (160, 480, 720, 980, 1220)
    words = [*row(200, "Variable", "Male", "Female", columns=(160, 600, 1100)), *row(240, "", "%", "CI", "%", "CI", columns=columns)]
    values = ("39.13", "31.55 to 47", "37.50", "30.49 to 44")
    words += [item for index in range(5) for item in row(300 + 45 * index, f"Test {index}", *values, columns=columns)]
    grid = read(words, rules=((150, 1400, 190), (150, 1400, 285), (150, 1400, 530)))
    assert grid is not None
    assert [(cell.text, cell.colspan) for cell in grid.cells if cell.row == 0] == [("Variable", 1), ("Male", 2), ("Female", 2)]


def test_every_place_of_the_grid_belongs_to_exactly_one_cell() -> None:
    words = [*row(200, "A very long head over two"), *row(245, "a", "1", "2", "3"), *row(290, "b", "4", "5", "6")]
    words += row(335, "c", "7", "8", "9")
    grid = read(words)
    assert grid is not None
    places = [(cell.row, column) for cell in grid.cells for column in range(cell.column, cell.column + cell.colspan)]
    assert sorted(places) == [(index, column) for index in range(grid.rows) for column in range(grid.columns)]


@pytest.mark.parametrize(
    "words",
    [
        [],
        row(200, "one", "line", "is", "none"),
        [item for index in range(5) for item in row(200 + index * 34, "plain text without any columns at all")],
    ],
)
def test_what_has_no_two_rows_and_columns_is_no_table(words: list[Word]) -> None:
    assert borderless(BBox(100, 100, 1500, 900), words, page_of(words), 200) is None


def test_words_outside_the_box_are_left_out() -> None:
    inside = [item for index in range(4) for item in row(200 + 45 * index, f"n{index}", "1", "2", "3")]
    stray = word(200, 900, "stray")
    grid = borderless(BBox(150, 190, 1200, 380), [*inside, stray], page_of([*inside, stray]), 200)
    assert grid is not None
    assert "stray" not in " ".join(cell.text for cell in grid.cells)


def test_what_a_fax_left_of_column_lines_parts_columns_only_where_they_are_known_to_be_broken() -> None:
    words = [item for index in range(4) for item in row(200 + index * 50, f"{index} 12,50", "18,20", columns=(160, 300))]
    page = page_of(words)
    right = max(item.bbox.x1 for item in words if item.text == "12,50")
    left = min(item.bbox.x0 for item in words if item.text == "18,20")
    at, before = round(left + right) // 2, round(words[0].bbox.x1) + 4
    for x in (before, at):
        for y in range(190, 400, 18):
            cv2.line(page, (x, y), (x, y + 9), 0, 2)
    box = BBox(140, 190, 420, 400)
    broken = borderless(box, words, page, 200, broken=True)
    assert broken is not None
    assert texts(broken)[0] == ["0", "12,50", "18,20"]
    whole = borderless(box, words, page, 200)
    assert whole is None or texts(whole)[0] != ["0", "12,50", "18,20"]
