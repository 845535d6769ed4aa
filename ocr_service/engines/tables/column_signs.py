"""One way of writing in a column: what bad scans make of some of its commas and per cent signs is told by the others.

The picture tells some commas (`ocr/decimal_comma`), those with too short a tail are read as points; «20%» is read as 2096. Commas only in
tables with Russian words: elsewhere the point is the usual sign.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ocr_service.domain.blocks import TableGrid
from ocr_service.engines.correction.script import is_plainly_cyrillic, is_plainly_latin

_AMOUNT = re.compile(r"[-–—(]?\d{1,3}(?:\s?\d{3})*(?P<sign>[.,])\d{2}\)?")
# Of all amounts of a table. Below it, a comma is rather a point with dirt under it.
_LEAST_COMMAS = 0.25
_PER_CENT = re.compile(r"(?P<rate>\d{1,2})(?P<sign>\s?%)")
_MISREAD_PER_CENT = re.compile(r"(?P<rate>\d{1,2}?)(?:96|%6)")


def with_column_signs(grid: TableGrid) -> TableGrid:
    """The table; amounts with a point in a column where others have a comma get one too, rates in a column of rates their sign."""
    columns: dict[int, set[str]] = defaultdict(set)
    for cell in grid.cells:
        columns[cell.column].add(cell.text)
    mend: dict[int, Callable[[str], str]] = {}
    if _is_russian(grid) and _commas(cell.text for cell in grid.cells) >= _LEAST_COMMAS:
        mend |= {column: _with_comma for column, texts in columns.items() if _commas(texts) > 0}
    mend |= {column: _with_per_cent(rates) for column, texts in columns.items() if (rates := _rates(texts))}
    return replace(grid, cells=tuple(replace(cell, text=mend.get(cell.column, str)(cell.text)) for cell in grid.cells)) if mend else grid


def _commas(texts: Iterable[str]) -> float:
    """The share of amounts that have a comma."""
    signs = [found["sign"] for text in texts if (found := _AMOUNT.fullmatch(text)) is not None]
    return signs.count(",") / len(signs) if signs else 0.0


def _with_comma(text: str) -> str:
    return text.replace(".", ",") if _AMOUNT.fullmatch(text) else text


def _rates(texts: Iterable[str]) -> dict[str, str]:
    """The rates of a column, and how each is written."""
    return {found["rate"]: found.group() for text in texts if (found := _PER_CENT.fullmatch(text)) is not None}


def _with_per_cent(rates: Mapping[str, str]) -> Callable[[str], str]:
    def mended(text: str) -> str:
        misread = _MISREAD_PER_CENT.fullmatch(text)
        return rates.get(misread["rate"], text) if misread else text

    return mended


def _is_russian(grid: TableGrid) -> bool:
    words = [word for cell in grid.cells for word in cell.text.split()]
    return sum(map(is_plainly_cyrillic, words)) > sum(map(is_plainly_latin, words))
