from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.cells import Span
from ocr_service.engines.tables.fill import fill
from ocr_service.engines.tables.lines import text_of
from ocr_service.engines.tables.ruled import RuledCell, RuledTable


def table(*spans: Span) -> RuledTable:
    """A table of 100 × 50 px units."""
    cells = tuple(
        RuledCell(span, BBox(span.column * 100, span.row * 50, (span.column + span.colspan) * 100, (span.row + span.rowspan) * 50))
        for span in spans
    )
    rows, columns = max(span.row + span.rowspan for span in spans), max(span.column + span.colspan for span in spans)
    return RuledTable(BBox(0, 0, columns * 100, rows * 50), rows, columns, cells)


def word(x: float, y: float, text: str, width: float = 30, height: float = 14) -> Word:
    return Word(BBox(x, y, x + width, y + height), text)


SQUARE = table(Span(0, 0, 1, 1), Span(0, 1, 1, 1), Span(1, 0, 1, 1), Span(1, 1, 1, 1))


def test_words_go_to_the_cells_that_hold_them() -> None:
    grid = fill(SQUARE, [word(10, 10, "a"), word(110, 10, "b"), word(10, 60, "1"), word(110, 60, "2")])
    assert [(cell.row, cell.column, cell.text) for cell in grid.cells] == [(0, 0, "a"), (0, 1, "b"), (1, 0, "1"), (1, 1, "2")]


def test_a_word_over_a_line_goes_to_the_cell_with_more_of_it() -> None:
    grid = fill(SQUARE, [word(80, 10, "more-left", width=34)])
    assert [cell.text for cell in grid.cells] == ["more-left", "", "", ""]


def test_words_outside_the_table_are_left_out() -> None:
    assert all(cell.text == "" for cell in fill(SQUARE, [word(300, 10, "x"), word(10, 120, "y")]).cells)


def test_spans_and_boxes_are_kept() -> None:
    grid = fill(table(Span(0, 0, 2, 1), Span(0, 1, 1, 1), Span(1, 1, 1, 1)), [word(10, 40, "tall")])
    assert next((cell.rowspan, cell.colspan, cell.bbox) for cell in grid.cells) == (2, 1, BBox(0, 0, 100, 100))
    assert grid.cells[0].text == "tall"


@given(st.permutations([word(10, 4, "один"), word(50, 5, "два"), word(10, 24, "три"), word(50, 23, "четыре")]))
def test_the_order_in_which_words_come_does_not_matter(words: list[Word]) -> None:
    assert text_of(words) == "один два три четыре"


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [
        ("соответ-", "ственно", "соответственно"),
        ("00-", "014771", "00-014771"),
        ("Санкт-", "Петербург", "Санкт-Петербург"),
        ("руб.", "коп.", "руб. коп."),
        ("№ п/", "п", "№ п/п"),
    ],
)
def test_lines_are_joined_as_they_were_broken(above: str, below: str, joined: str) -> None:
    assert text_of([word(10, 4, above), word(10, 24, below)]) == joined


def header_texts(*rows: tuple[str, ...]) -> list[str]:
    spans = tuple(Span(i, j, 1, 1) for i in range(len(rows)) for j in range(len(rows[0])))
    words = [word(10 + 100 * j, 10 + 50 * i, text) for i, row in enumerate(rows) for j, text in enumerate(row)]
    return [cell.text for cell in fill(table(*spans), words).cells if cell.is_header]


def test_a_first_row_of_words_is_the_head() -> None:
    assert header_texts(("№", "Цена"), ("1", "20,5"), ("2", "7")) == ["№", "Цена"]


def test_a_first_row_of_figures_is_no_head() -> None:
    assert header_texts(("1", "20,5"), ("2", "7")) == []


def test_a_row_that_numbers_the_columns_belongs_to_the_head() -> None:
    assert header_texts(("Код", "Цена"), ("1", "2"), ("A", "7")) == ["Код", "Цена", "1", "2"]


def test_a_head_is_as_deep_as_its_deepest_cell() -> None:
    spans = (Span(0, 0, 2, 1), Span(0, 1, 1, 2), Span(1, 1, 1, 1), Span(1, 2, 1, 1), *(Span(2, j, 1, 1) for j in range(3)))
    names = ("Код", "Сумма", "без НДС", "с НДС", "1", "20", "24")
    words = [word(10 + 100 * span.column, 10 + 50 * span.row, name) for span, name in zip(spans, names, strict=True)]
    assert [cell.text for cell in fill(table(*spans), words).cells if cell.is_header] == ["Код", "Сумма", "без НДС", "с НДС"]
