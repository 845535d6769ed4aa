"""The tables of a document as `tables.xlsx`, one sheet a table, and `tables/p0003-t1.csv`, one file a table.

A table over several pages is one table, as in the document's Markdown; it is named by the page and place where it begins.

Cells are text and nothing else, exactly as in the document: 007, 1/2, 40702810500000012345 and 1,10 stay what they are. In the workbook
a cell like `=1+1` cannot become a formula, because every cell is typed as text. A CSV file has no types: Excel may take such a cell for a
formula. The files keep the exact data for programs all the same (OWASP's escape, a leading apostrophe, would falsify it); who opens files
of strangers in Excel should take the workbook. CSV is UTF-8 with a byte order mark, comma, quotes and CR LF as in RFC 4180; a merged cell's
text stands at its first position, the others are empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.documents import PageResult
from ocr_service.domain.text import printable
from ocr_service.outputs.atomic import storage_errors, whole_file
from ocr_service.outputs.joining import Piece, join_pages
from ocr_service.outputs.markdown import grid_of
from ocr_service.outputs.xlsx import Sheet, SheetCell, Workbook


def write_tables(results: Iterable[PageResult], workbook_path: Path, csv_folder: Path) -> list[Path]:
    """Write the workbook and the CSV files, which are returned; a document without tables gets neither. Raises StorageFailed."""
    pieces = (event for event in join_pages(results) if isinstance(event, Piece) and event.number)
    first = next(pieces, None)
    if first is None:
        return []
    with storage_errors():
        csv_folder.mkdir(exist_ok=True)
    written: list[Path] = []
    with whole_file(workbook_path) as temporary, Workbook(temporary) as workbook, _Tables(workbook, csv_folder) as tables:
        for piece in _chain(first, pieces):
            if not piece.continues:
                written.append(tables.begin(piece))
            tables.append(grid_of(piece.block) or TableGrid(0, 0, ()))
    return written


def _chain(first: Piece, rest: Iterator[Piece]) -> Iterator[Piece]:
    yield first
    yield from rest


class _Tables:
    """The table that is being written, in both files at once."""

    def __init__(self, workbook: Workbook, csv_folder: Path) -> None:
        self._workbook = workbook
        self._folder = csv_folder
        self._open_files = ExitStack()
        self._sheet: Sheet
        self._csv: Any

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open_files.__exit__(kind, error, trace)

    def begin(self, piece: Piece) -> Path:
        self._open_files.close()
        path = self._folder / f"p{piece.page:04d}-t{piece.number}.csv"
        temporary = self._open_files.enter_context(whole_file(path))
        file = self._open_files.enter_context(temporary.open("w", encoding="utf-8-sig", newline=""))
        self._csv = csv.writer(file)
        self._sheet = self._open_files.enter_context(self._workbook.sheet(f"p{piece.page} t{piece.number}"))
        return path

    def append(self, grid: TableGrid) -> None:
        by_row: dict[int, list[TableCell]] = {}
        for cell in sorted(grid.cells, key=lambda cell: cell.column):
            by_row.setdefault(cell.row, []).append(cell)
        for row in range(grid.rows):
            cells = by_row.get(row, [])
            texts = [""] * grid.columns
            for cell in cells:
                texts[cell.column] = printable(cell.text)
            self._csv.writerow(texts)
            self._sheet.write_row([_sheet_cell(cell) for cell in cells])


def _sheet_cell(cell: TableCell) -> SheetCell:
    return SheetCell(cell.column, printable(cell.text), cell.is_header, cell.rowspan, cell.colspan)
