"""A workbook of text cells, written row by row as a stream.

XlsxWriter keeps all rows in memory, or an open file for every sheet; a document may have two thousand tables of which one has a
hundred thousand rows. What is needed of the format is little: text in cells, bold, merged ranges (ECMA-376, inline strings).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

MAX_ROWS, MAX_COLUMNS, MAX_CELL_CHARACTERS, MAX_SHEET_NAME = 1_048_576, 16_384, 32_767, 31

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Excel reads "_x0041_" in a string as a letter's code.
_ESCAPED_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    # 49 is "text": a cell that is edited stays text.
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_PLAIN, _BOLD = 1, 2


class SheetCell(NamedTuple):
    """A cell's text at a column that counts from 0; `rowspan` × `colspan` cells are merged."""

    column: int
    text: str
    bold: bool = False
    rowspan: int = 1
    colspan: int = 1


class Sheet:
    """A sheet that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._row = 0
        self._merged: list[str] = []

    def write_row(self, cells: Sequence[SheetCell]) -> bool:
        """Append a row; its cells are in order. False where the sheet is full."""
        if self._row >= MAX_ROWS:
            return False
        shown = [cell for cell in cells if cell.column + cell.colspan <= MAX_COLUMNS]
        written = "".join(self._cell(cell) for cell in shown)
        self._file.write(f'<row r="{self._row + 1}">{written}</row>'.encode())
        self._row += 1
        return True

    def finish(self) -> None:
        merged = "".join(f'<mergeCell ref="{area}"/>' for area in self._merged)
        merges = f'<mergeCells count="{len(self._merged)}">{merged}</mergeCells>' if merged else ""
        self._file.write(f"</sheetData>{merges}</worksheet>".encode())

    def _cell(self, cell: SheetCell) -> str:
        last_row = min(self._row + cell.rowspan, MAX_ROWS) - 1
        if cell.colspan > 1 or last_row > self._row:
            self._merged.append(f"{_name(self._row, cell.column)}:{_name(last_row, cell.column + cell.colspan - 1)}")
        text = _ESCAPED_CODE.sub("_x005F_", _NOT_XML.sub("", cell.text))[:MAX_CELL_CHARACTERS]
        style = _BOLD if cell.bold else _PLAIN
        return f'<c r="{_name(self._row, cell.column)}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


class Workbook:
    """An .xlsx file that is being written, sheet after sheet. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self._zip = ZipFile(path, "w", ZIP_DEFLATED)
        self._names: list[str] = []

    @contextmanager
    def sheet(self, name: str) -> Iterator[Sheet]:
        """Add a sheet. One at a time; the name must be new, of at most 31 characters and without any of []:*?/\\."""
        self._names.append(name)
        with self._zip.open(f"xl/worksheets/sheet{len(self._names)}.xml", "w", force_zip64=True) as file:
            file.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            sheet = Sheet(file)
            yield sheet
            sheet.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._zip:
            if error is None:
                self._write_parts()

    def _write_parts(self) -> None:
        numbers = range(1, len(self._names) + 1)
        sheets = "".join(
            f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
            for number, name in zip(numbers, self._names, strict=True)
        )
        styles_id = len(self._names) + 1
        relations = "".join(_relation(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml") for number in numbers)
        relations += _relation(f"rId{styles_id}", "styles", "styles.xml")
        overrides = "".join(_override(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers)
        overrides += _override("/xl/workbook.xml", "sheet.main") + _override("/xl/styles.xml", "styles")
        root = _relation("rId1", "officeDocument", "xl/workbook.xml")
        parts = {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
            ),
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">{root}</Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
            "xl/styles.xml": _STYLES,
        }
        for name, content in parts.items():
            self._zip.writestr(name, _XML + content)


def _relation(relation_id: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{relation_id}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return f'<Override PartName="{part}" ContentType="{_TYPES}.{kind}+xml"/>'


def _name(row: int, column: int) -> str:
    """Row 0, column 27 → "AB1"."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
