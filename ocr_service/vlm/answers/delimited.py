"""A table as lines of text: with pipes as in Markdown, or with commas, semicolons or tabs. Charts are answered so."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from ocr_service.domain.blocks import TableCell, TableGrid

_PIPE = re.compile(r"(?<!\\)\|")
_RULE_SIGNS = set("|:-+ \t")
_SIGNS = ("\t", ";", ",")
_LARGEST_TABLE = 100_000


def read_piped(text: str) -> TableGrid | None:
    """A table whose every line has pipes; None if it is not one."""
    lines = _lines(text)
    if not lines or not all(_PIPE.search(line) for line in lines):
        return None
    return _grid([[cell.replace("\\|", "|") for cell in _PIPE.split(_inner(line))] for line in lines if not _is_rule(line)])


def read_separated(text: str) -> TableGrid | None:
    """A table by the first sign that parts every line into the same number of columns; None if there is none."""
    lines = _lines(text)
    for sign in _SIGNS:
        if len(lines) > 1 and all(sign in line for line in lines):
            try:
                rows = list(csv.reader(lines, delimiter=sign, strict=True, skipinitialspace=True))
            except csv.Error:
                continue
            if len({len(row) for row in rows}) == 1:
                return _grid(rows)
    return None


def _grid(rows: Sequence[Sequence[str]]) -> TableGrid | None:
    """The first row is the head; short rows are filled up. None for less than two columns: that is a list."""
    width = max((len(row) for row in rows), default=0)
    if width < 2 or width * len(rows) > _LARGEST_TABLE:
        return None
    padded = ([*row, *[""] * (width - len(row))] for row in rows)
    cells = (
        TableCell(number, column, " ".join(cell.split()), is_header=number == 0)
        for number, row in enumerate(padded)
        for column, cell in enumerate(row)
    )
    return TableGrid(len(rows), width, tuple(cells))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _is_rule(line: str) -> bool:
    """The line below a Markdown table's head."""
    return "-" in line and _RULE_SIGNS.issuperset(line)


def _inner(line: str) -> str:
    """A Markdown row without the pipes at its ends; a row that has no first pipe keeps an empty last cell."""
    line = line.strip()
    return line[1:].removesuffix("|") if line.startswith("|") else line
