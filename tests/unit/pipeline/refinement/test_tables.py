"""Which tables are believed, and which cells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.blocks import Block, TableCell, TableGrid
from ocr_service.domain.vlm import VlmTask
from ocr_service.pipeline.refinement.judge import judge
from ocr_service.pipeline.refinement.verdict import DIGITS_DIFFER, Outcome, Verdict
from tests.unit.pipeline.refinement.blocks import said_table, table_block

SURE, WEAK = 0.97, 0.7
ROWS = [
    ["№", "Наименование товара", "Кол-во", "Сумма"],
    ["1", "Пакет для отходов", "200", "42 100,00"],
    ["2", "Контейнер стальной", "80", "24 000,00"],
    ["3", "Бумага офисная", "150", "31 500,00"],
    ["", "Итого", "430", "97 600,00"],
]


def verdict_on(block: Block, rows: Sequence[Sequence[str]]) -> Verdict:
    return judge(block, VlmTask.TABLE, said_table(rows))


def changed(row: int, column: int, text: str) -> list[list[str]]:
    rows = [list(texts) for texts in ROWS]
    rows[row][column] = text
    return rows


def texts(grid: TableGrid | None) -> list[list[str]]:
    assert grid is not None
    rows: list[list[str]] = [[] for _ in range(grid.rows)]
    for cell in grid.cells:
        rows[cell.row].append(cell.text)
    return rows


def test_the_same_table_is_believed_and_keeps_the_places_of_its_cells() -> None:
    verdict = verdict_on(table_block(ROWS), ROWS)
    assert (verdict.outcome, verdict.warnings, texts(verdict.table)) == (Outcome.ACCEPTED, (), ROWS)
    assert verdict.table is not None
    assert all(cell.bbox is not None for cell in verdict.table.cells)


def test_a_cell_whose_digits_contradict_keeps_the_evidence_and_is_marked() -> None:
    verdict = verdict_on(table_block(ROWS), changed(2, 3, "29 000,00"))
    assert (verdict.outcome, verdict.warnings, texts(verdict.table)) == (Outcome.ACCEPTED, (DIGITS_DIFFER,), ROWS)


def test_a_cell_that_ocr_was_unsure_of_is_doubtful_and_takes_the_answer() -> None:
    block = table_block(changed(2, 3, "24 00O,00"), WEAK)
    verdict = verdict_on(block, ROWS)
    assert (verdict.outcome, verdict.warnings, texts(verdict.table)) == (Outcome.DOUBTFUL, (DIGITS_DIFFER,), ROWS)


def test_a_letter_that_ocr_got_wrong_is_corrected() -> None:
    verdict = verdict_on(table_block(changed(1, 1, "Пакет для отводов"), WEAK), ROWS)
    assert (verdict.outcome, texts(verdict.table)) == (Outcome.ACCEPTED, ROWS)


def test_an_empty_cell_is_not_filled_with_what_nobody_read() -> None:
    verdict = verdict_on(table_block(ROWS), changed(4, 0, "45"))
    assert texts(verdict.table) == ROWS


def test_a_table_that_contradicts_in_many_cells_is_not_believed_at_all() -> None:
    lie = [[text.replace("0", "7") for text in row] for row in ROWS]
    assert verdict_on(table_block(ROWS), lie).reason == "cells contradict the evidence"


def test_rows_that_nobody_read_are_not_believed() -> None:
    lie = [*ROWS[:4], ["4", "Скрепки канцелярские", "15", "900,00"], ROWS[4]]
    for confidence in (None, SURE, WEAK):
        assert verdict_on(table_block(ROWS, confidence), lie).outcome is Outcome.REJECTED


def test_missing_rows_are_not_believed() -> None:
    for confidence in (None, SURE, WEAK):
        assert verdict_on(table_block(ROWS, confidence), ROWS[:3]).outcome is Outcome.REJECTED


def test_another_grid_is_not_believed_on_a_page_that_is_read_surely() -> None:
    merged = [[row[0] + " " + row[1], *row[2:]] for row in ROWS]
    assert verdict_on(table_block(ROWS), merged).reason == "another grid than the page's"


def test_another_grid_is_believed_on_an_unsure_page_if_every_cell_stands_in_its_place() -> None:
    found = table_block(ROWS, WEAK)
    assert found.table is not None
    one_column = TableGrid(5, 1, tuple(TableCell(row, 0, " ".join(texts)) for row, texts in enumerate(ROWS)))
    badly_found = replace(found, table=one_column)
    verdict = verdict_on(badly_found, ROWS)
    assert (verdict.outcome, texts(verdict.table)) == (Outcome.ACCEPTED, ROWS)


def test_another_grid_with_cells_in_the_wrong_columns_is_not_believed() -> None:
    found = table_block(ROWS, WEAK)
    badly_found = replace(found, table=None)
    shifted = [["", *row] if index == 2 else [*row, ""] for index, row in enumerate(ROWS)]
    assert verdict_on(badly_found, shifted).reason == "cells are not where the page has them"
