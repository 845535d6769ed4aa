"""Tables as a workbook and as CSV files: exactly the document's text, read back by the usual programs."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_service.domain.blocks import TableGrid
from ocr_service.domain.errors import StorageFailed
from ocr_service.domain.geometry import BBox
from ocr_service.outputs.tables import write_tables
from ocr_service.outputs.xlsx import MAX_CELL_CHARACTERS
from tests.unit.outputs.blocks import block, page, table
from tests.unit.outputs.grids import grids

_BOTTOM, _TOP = BBox(150, 1500, 1500, 2200), BBox(150, 150, 1500, 600)


def _write(folder: Path, *pages: Any) -> list[str]:
    return [path.name for path in write_tables(pages, folder / "tables.xlsx", folder / "tables")]


def _csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def _sheet_texts(sheet: Any, grid: TableGrid) -> dict[tuple[int, int], str]:
    return {(cell.row, cell.column): sheet.cell(cell.row + 1, cell.column + 1).value or "" for cell in grid.cells}


def test_each_table_is_a_sheet_and_a_file_named_by_its_page(tmp_path: Path) -> None:
    pages = [page(1, block("Текст.")), page(3, table("а|б"), table("в|г")), page(12, table("д"))]
    assert _write(tmp_path, *pages) == ["p0003-t1.csv", "p0003-t2.csv", "p0012-t1.csv"]
    assert openpyxl.load_workbook(tmp_path / "tables.xlsx").sheetnames == ["p3 t1", "p3 t2", "p12 t1"]
    assert _csv(tmp_path / "tables" / "p0003-t2.csv") == [["в", "г"]]


def test_a_document_without_tables_gets_no_files(tmp_path: Path) -> None:
    assert _write(tmp_path, page(1, block("Текст."))) == []
    assert list(tmp_path.iterdir()) == []


def test_a_table_over_pages_is_one_table_as_in_the_markdown(tmp_path: Path) -> None:
    pages = [
        page(1, table("№|Товар", "1|Чашка", header_rows=1, bbox=_BOTTOM)),
        page(2, table("№|Товар", "2|Блюдце", header_rows=1, bbox=_TOP), table("другая")),
    ]
    assert _write(tmp_path, *pages) == ["p0001-t1.csv", "p0002-t2.csv"]
    assert _csv(tmp_path / "tables" / "p0001-t1.csv") == [["№", "Товар"], ["1", "Чашка"], ["2", "Блюдце"]]


def test_nothing_is_taken_for_a_number_a_date_or_a_formula(tmp_path: Path) -> None:
    texts = ["007", "40702810500000012345", "1/2", "03.04", "1,10", "=1+1", "=cmd|' /C calc'!A0", "+7", "-5", "@x", "1E5", "TRUE"]
    _write(tmp_path, page(1, table("|".join(text.replace("|", "¦") for text in texts))))
    row = next(openpyxl.load_workbook(tmp_path / "tables.xlsx").active.iter_rows())
    assert [(cell.value, cell.data_type) for cell in row] == [(text.replace("|", "¦"), "s") for text in texts]
    assert _csv(tmp_path / "tables" / "p0001-t1.csv") == [[text.replace("|", "¦") for text in texts]]


def test_csv_files_open_in_excel_as_utf8(tmp_path: Path) -> None:
    _write(tmp_path, page(1, table("Товар|Цена, руб.")))
    assert (tmp_path / "tables" / "p0001-t1.csv").read_bytes() == '\ufeffТовар,"Цена, руб."\r\n'.encode()


@settings(max_examples=60)
@given(grid=grids())
def test_any_table_is_read_back_cell_by_cell(tmp_path_factory: pytest.TempPathFactory, grid: TableGrid) -> None:
    folder = tmp_path_factory.mktemp("tables")
    _write(folder, page(1, replace(table("x"), table=grid)))
    sheet = openpyxl.load_workbook(folder / "tables.xlsx").active
    assert _sheet_texts(sheet, grid) == {(cell.row, cell.column): cell.text for cell in grid.cells}
    merged = {(area.min_row - 1, area.min_col - 1): (area.size["rows"], area.size["columns"]) for area in sheet.merged_cells.ranges}
    assert merged == {(cell.row, cell.column): (cell.rowspan, cell.colspan) for cell in grid.cells if cell.rowspan * cell.colspan > 1}
    assert {position for position in ((c.row, c.column) for c in grid.cells) if sheet.cell(position[0] + 1, position[1] + 1).font.b} == {
        (cell.row, cell.column) for cell in grid.cells if cell.is_header
    }
    rows = _csv(folder / "tables" / "p0001-t1.csv")
    assert [len(row) for row in rows] == [grid.columns] * grid.rows
    assert {(cell.row, cell.column): rows[cell.row][cell.column] for cell in grid.cells} == _sheet_texts(sheet, grid)


@given(st.text(max_size=20))
def test_any_letters_give_a_readable_workbook(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("tables")
    grid = TableGrid(1, 1, (replace(table("x").table.cells[0], text=text + "_x0041_"),))  # type: ignore[union-attr]
    _write(folder, page(1, replace(table("x"), table=grid)))
    assert openpyxl.load_workbook(folder / "tables.xlsx").active["A1"].value.endswith("_x0041_")


def test_a_cell_longer_than_excel_takes_is_cut_in_the_workbook_and_whole_in_the_csv(tmp_path: Path) -> None:
    text = "ы" * (MAX_CELL_CHARACTERS + 1)
    _write(tmp_path, page(1, table(text)))
    assert openpyxl.load_workbook(tmp_path / "tables.xlsx").active["A1"].value == text[:-1]
    assert _csv(tmp_path / "tables" / "p0001-t1.csv") == [[text]]


def test_many_tables_need_no_more_open_files(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(128, soft), hard))
    try:
        assert len(_write(tmp_path, *(page(number, table("а|б")) for number in range(1, 400, 2)))) == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with ZipFile(tmp_path / "tables.xlsx") as archive:
        assert len([name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]) == 200


def test_a_writer_that_fails_midway_leaves_no_workbook(tmp_path: Path) -> None:
    def pages() -> Any:
        yield page(1, table("а|б"), table("в|г"))
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFailed, match="no space left"):
        write_tables(pages(), tmp_path / "tables.xlsx", tmp_path / "tables")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] in ([], ["p0001-t1.csv"])
