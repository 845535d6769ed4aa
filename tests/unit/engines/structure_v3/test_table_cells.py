"""Recognised tables: HTML that is not quite HTML, and boxes in no reliable order."""

from __future__ import annotations

import pytest

from ocr_service.domain.blocks import TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word
from ocr_service.engines.structure_v3.raw import Corners, RawTable
from ocr_service.engines.structure_v3.table_cells import grid_of, with_all_lines


def grid(html: str, cells: list[Corners] | None = None) -> TableGrid:
    found = grid_of(RawTable(cells or [], html))
    assert found is not None
    return found


def texts(table: TableGrid) -> list[str]:
    return [cell.text for cell in table.cells]


def line(text: str, box: BBox) -> PageLine:
    return PageLine(box, tuple(Word(box, word) for word in text.split()), 10.0, confidence=0.9)


def test_cell_texts_are_taken_as_they_are_because_the_library_does_not_escape_them() -> None:
    table = grid("<html><body><table><tr><td>a<b & c>d</td><td>x &lt; y</td></tr></table></body></html>")
    assert texts(table) == ["a<b & c>d", "x &lt; y"]


@pytest.mark.parametrize(
    "html",
    [
        "<html><body><table><tr><td>1</td><td>2</td></tr></table></body></html>",
        "<table><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
        "<html> <body> <table> <tr> <td>1</td> <td>2</td> </tr> </table> </body> </html>",
    ],
    ids=["wrapped", "bare", "blanks between the tags"],
)
def test_the_wrapper_and_blanks_between_tags_do_not_matter(html: str) -> None:
    assert texts(grid(html)) == ["1", "2"]


def test_spans_are_kept_however_the_tags_are_spaced() -> None:
    table = grid('<table><tr><td  rowspan="2" colspan="2" >a</td><td>b</td></tr><tr><td>c</td></tr></table>')
    assert (table.rows, table.columns) == (2, 3)
    assert (table.cells[0].rowspan, table.cells[0].colspan) == (2, 2)


def test_the_head_that_the_model_names_is_the_head() -> None:
    table = grid("<table><thead><tr><td>1</td></tr></thead><tbody><tr><td>2</td></tr></tbody></table>")
    assert [cell.is_header for cell in table.cells] == [True, False]


def test_what_the_library_pastes_into_cells_is_no_text() -> None:
    picture = '<div style="text-align: center;"><img src="imgs/img_in_image_box_1_2_3_4.jpg" alt="Image" /></div>'
    assert texts(grid(f"<table><tr><td>{picture}</td><td><b>sum</b></td></tr></table>")) == ["", "sum"]


def test_boxes_find_their_cells_whatever_order_they_come_in() -> None:
    boxes: list[Corners] = [(100, 52, 200, 100), (0, 0, 100, 50), (0, 50, 100, 100), (100, 3, 200, 50)]
    table = grid("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>", boxes)
    assert [cell.bbox for cell in table.cells] == [BBox(*boxes[index]) for index in (1, 3, 2, 0)]


@pytest.mark.parametrize(
    "boxes",
    [[(0, 0, 100, 50)], [(0, 0, 100, 50), (0, 60, 100, 110)], [(0, 0, 100, 50), (5, 0, 95, 50)]],
    ids=["too few", "one under the other", "one inside the other"],
)
def test_boxes_that_cannot_be_those_of_the_cells_are_not_believed(boxes: list[Corners]) -> None:
    assert [cell.bbox for cell in grid("<table><tr><td>1</td><td>2</td></tr></table>", boxes).cells] == [None, None]


@pytest.mark.parametrize("html", ["", "<html><body><table></table></body></html>", "<table><tr></tr></table>"])
def test_html_without_a_cell_is_no_table(html: str) -> None:
    assert grid_of(RawTable([], html)) is None


def test_a_span_beyond_all_measure_is_cut_to_the_table() -> None:
    assert grid('<table><tr><td rowspan="9999">1</td><td>2</td></tr></table>').rows == 1


def test_a_line_that_was_read_a_little_differently_in_its_cell_is_not_put_there_twice() -> None:
    table = grid("<table><tr><td>Total amount, rub</td><td>12</td></tr></table>", [(0, 0, 100, 50), (100, 0, 200, 50)])
    found, forgotten = with_all_lines(table, [line("Tota1 amount, rub.", BBox(5, 5, 95, 45))])
    assert (found, forgotten) == (table, 0)


def test_a_line_that_stands_in_another_cell_counts_as_forgotten_in_its_own() -> None:
    table = grid("<table><tr><td>12</td><td></td></tr></table>", [(0, 0, 100, 50), (100, 0, 200, 50)])
    found, forgotten = with_all_lines(table, [line("12", BBox(105, 5, 195, 45))])
    assert (texts(found), forgotten) == (["12", "12"], 1)


def test_a_forgotten_line_goes_to_the_last_cell_of_a_table_without_places() -> None:
    found, forgotten = with_all_lines(grid("<table><tr><td>a</td><td>b</td></tr></table>"), [line("—", BBox(0, 0, 9, 9))])
    assert (texts(found), forgotten) == (["a", "b\n—"], 1)
