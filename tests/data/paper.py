"""Drawing office pages, and writing down in the same breath what is on them: the truth that the tests hold the service against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pymupdf

WIDTH, HEIGHT = 595.0, 842.0
_LEFT, _RIGHT, _TOP = 64.0, 540.0, 60.0
_LEADING = 1.32
_PADDING = 4.0
_FONTS = {name: pymupdf.Font(name) for name in ("tiro", "tibo", "helv", "hebo", "china-s")}


@dataclass(frozen=True)
class Cell:
    """A table cell; `rowspan` and `colspan` count from 1."""

    text: str
    rowspan: int = 1
    colspan: int = 1


@dataclass
class Face:
    """The fonts of a document: text and bold."""

    text: str = "tiro"
    bold: str = "tibo"
    size: float = 11.0

    def font(self, *, bold: bool = False) -> pymupdf.Font:
        return _FONTS[self.bold if bold else self.text]

    @property
    def is_spaced(self) -> bool:
        """Whether words are parted by spaces."""
        return self.text != "china-s"


@dataclass
class Column:
    """Where text flows: its left and right edge."""

    left: float = _LEFT
    right: float = _RIGHT

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass
class Sheet:
    """One page of a document, filled from the top down. `truth` lists its blocks in reading order."""

    document: pymupdf.Document
    number: int
    face: Face
    y: float = _TOP
    column: Column = field(default_factory=Column)
    truth: list[dict[str, Any]] = field(default_factory=list)

    @property
    def page(self) -> pymupdf.Page:
        """Asked for anew each time: a page object dies when its document gets another page."""
        return self.document[self.number]

    def title(self, text: str) -> None:
        font, size = self.face.font(bold=True), 1.55 * self.face.size
        for line in self._wrapped(text, font, size, _RIGHT - _LEFT):
            self._write((WIDTH - font.text_length(line, size)) / 2, line, font, size)
            self.y += size * _LEADING
        self.y += 8
        self._note("title", text)

    def heading(self, text: str, level: int, *, growth: float = 1.2) -> None:
        self.y += 8
        self._flow(text, self.face.font(bold=True), growth * self.face.size, self.column.left)
        self.y += 5
        self._note("heading", text, level=level)

    def paragraph(self, text: str) -> None:
        self._flow(text, self.face.font(), self.face.size, self.column.left)
        self.y += 7
        self._note("text", text)

    def item(self, marker: str, text: str, *, depth: int = 0) -> None:
        x = self.column.left + 14 + 22 * depth
        font = self.face.font()
        self._write(x, marker, font, self.face.size)
        self._flow(text, font, self.face.size, x + 22)
        self.y += 3
        self._note("item", text, marker=marker)

    def caption(self, text: str, kind: str) -> None:
        self._flow(text, self.face.font(), 0.92 * self.face.size, self.column.left)
        self.y += 6
        self._note(kind, text)

    def figure(self, png: bytes, width: float, height: float) -> None:
        self.page.insert_image(pymupdf.Rect(self.column.left, self.y, self.column.left + width, self.y + height), stream=png)
        self.y += height + 8
        self._note("figure", "")

    def head(self, text: str) -> None:
        """A running head in small letters."""
        self.page_text(_LEFT, 36, text, 8.5)
        self.truth.insert(0, {"kind": "header", "text": text})

    def foot_number(self, number: int) -> None:
        text = f"— {number} —"
        self.page_text(WIDTH / 2 - 12, 815, text, 9)
        self._note("number", text)

    def page_text(self, x: float, y: float, text: str, size: float) -> None:
        writer = pymupdf.TextWriter(self.page.rect)
        writer.append((x, y), text, font=self.face.font(), fontsize=size)
        writer.write_text(self.page)

    def table(self, widths: Sequence[float], rows: Sequence[Sequence[Cell]], *, head_rows: int = 1, size: float = 9.5) -> None:
        """A ruled table. `rows` hold the cells that begin in them; positions under a span are left out."""
        placed = _placed(rows, len(widths))
        heights = self._row_heights(placed, widths, len(rows), size)
        tops = [self.y + sum(heights[:index]) for index in range(len(rows) + 1)]
        lefts = [self.column.left + sum(widths[:index]) for index in range(len(widths) + 1)]
        for row, column, cell in placed:
            box = pymupdf.Rect(lefts[column], tops[row], lefts[column + cell.colspan], tops[row + cell.rowspan])
            self.page.draw_rect(box, color=(0, 0, 0), width=0.8)
            self._fill(box, cell.text, self.face.font(bold=row < head_rows), size)
        self.y = tops[-1] + 10
        cells = [
            {"row": row, "column": column, "rowspan": cell.rowspan, "colspan": cell.colspan, "text": cell.text}
            for row, column, cell in placed
        ]
        self.truth.append({"kind": "table", "rows": len(rows), "columns": len(widths), "cells": cells})

    def _fill(self, box: pymupdf.Rect, text: str, font: pymupdf.Font, size: float) -> None:
        writer = pymupdf.TextWriter(self.page.rect)
        y = box.y0 + _PADDING
        for line in self._wrapped(text, font, size, box.width - 2 * _PADDING):
            writer.append((box.x0 + _PADDING, y + 0.85 * size), line, font=font, fontsize=size)
            y += 1.2 * size
        writer.write_text(self.page)

    def _row_heights(self, placed: Sequence[tuple[int, int, Cell]], widths: Sequence[float], rows: int, size: float) -> list[float]:
        heights = [1.2 * size + 2 * _PADDING] * rows
        for row, column, cell in placed:
            width = sum(widths[column : column + cell.colspan]) - 2 * _PADDING
            lines = len(self._wrapped(cell.text, self.face.font(bold=True), size, width))
            needed = lines * 1.2 * size + 2 * _PADDING - sum(heights[row + 1 : row + cell.rowspan])
            heights[row] = max(heights[row], needed)
        return heights

    def _flow(self, text: str, font: pymupdf.Font, size: float, x: float) -> None:
        for line in self._wrapped(text, font, size, self.column.right - x):
            self._write(x, line, font, size)
            self.y += size * _LEADING

    def _write(self, x: float, text: str, font: pymupdf.Font, size: float) -> None:
        writer = pymupdf.TextWriter(self.page.rect)
        writer.append((x, self.y + 0.85 * size), text, font=font, fontsize=size)
        writer.write_text(self.page)

    def _wrapped(self, text: str, font: pymupdf.Font, size: float, width: float) -> list[str]:
        units, glue = (text.split(), " ") if self.face.is_spaced else (list(text), "")
        lines: list[str] = []
        for unit in units:
            longer = f"{lines[-1]}{glue}{unit}" if lines else unit
            if lines and font.text_length(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(unit)
        return lines or [""]

    def _note(self, kind: str, text: str, **more: Any) -> None:
        self.truth.append({"kind": kind, "text": text, **more})


def _placed(rows: Sequence[Sequence[Cell]], columns: int) -> list[tuple[int, int, Cell]]:
    """Each cell with its row and column; what a span covers is skipped, as in HTML."""
    taken: set[tuple[int, int]] = set()
    placed: list[tuple[int, int, Cell]] = []
    for row, cells in enumerate(rows):
        column = 0
        for cell in cells:
            while (row, column) in taken:
                column += 1
            placed.append((row, column, cell))
            taken |= {(row + y, column + x) for y in range(cell.rowspan) for x in range(cell.colspan)}
            column += cell.colspan
    assert taken == {(row, column) for row in range(len(rows)) for column in range(columns)}, "the table has a hole"
    return placed


class Paper:
    """A document on its way: its pages and their truth."""

    def __init__(self, face: Face | None = None) -> None:
        self.document = pymupdf.open()
        self.face = face or Face()
        self.sheets: list[Sheet] = []

    def sheet(self) -> Sheet:
        self.document.new_page(width=WIDTH, height=HEIGHT)
        self.sheets.append(Sheet(self.document, len(self.sheets), self.face))
        return self.sheets[-1]

    @property
    def truth(self) -> list[list[dict[str, Any]]]:
        return [sheet.truth for sheet in self.sheets]

    def pdf(self) -> bytes:
        """The PDF, with only the letters that it uses in its fonts; the same bytes each time."""
        self.document.subset_fonts()
        content: bytes = self.document.tobytes(garbage=4, deflate=True, clean=True, no_new_id=True)
        return content
