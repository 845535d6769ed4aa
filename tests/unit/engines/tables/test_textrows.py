from __future__ import annotations

from ocr_service.engines.tables.textrows import CellLine, row_bands


def lines(*rows: tuple[float, tuple[int, ...]]) -> list[CellLine]:
    return [CellLine(column, column, top, top + 20) for top, columns in rows for column in columns]


def test_lines_at_one_height_are_one_row() -> None:
    assert row_bands(lines((0, (0, 1, 2)), (60, (0, 1, 2))), 3) == [(0, 20), (60, 80)]


def test_a_second_line_of_few_cells_belongs_to_the_row_above() -> None:
    assert row_bands(lines((0, (0, 1, 2, 3)), (26, (1,)), (80, (0, 1, 2, 3))), 4) == [(0, 46), (80, 100)]


def test_a_cell_centred_beside_two_lines_is_one_row_with_them() -> None:
    centred = [CellLine(column, column, 13, 33) for column in (0, 2, 3)]
    assert row_bands([*lines((0, (1,)), (26, (1,))), *centred], 4) == [(0, 46)]


def test_text_between_two_rows_belongs_to_both_and_is_no_row() -> None:
    assert row_bands(lines((0, (1, 2, 3)), (22, (0,)), (44, (1, 2, 3))), 4) == [(0, 20), (44, 64)]


def test_a_line_that_is_known_not_to_go_on_is_a_row_of_its_own() -> None:
    own = CellLine(0, 0, 26, 46, may_continue=False)
    assert row_bands([*lines((0, (0, 1, 2, 3))), own], 4) == [(0, 20), (26, 46)]


def test_no_text_gives_no_rows() -> None:
    assert row_bands([], 3) == []
