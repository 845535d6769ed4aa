"""Which of a table's first rows are its head."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.domain.blocks import TableCell

_NUMBER = re.compile(r"[\s\d.,:;%+\-–—±()/№*×x=<>≤≥]*\d[\s\d.,:;%+\-–—±()/*×x=<>≤≥]*")
_MAX_HEAD = 4  # rows; deeper heads are not seen in practice, and a table that is all spans is no head


def header_rows(rows: int, columns: int, cells: Sequence[TableCell]) -> int:
    """How many rows from the top are the head; 0 where the first row holds figures or is all there is."""
    first = [cell for cell in cells if cell.row == 0]
    filled = [cell for cell in first if cell.text]
    if rows < 2 or columns < 2 or not filled or sum(_is_number(cell.text) for cell in filled) * 2 > len(filled):
        return 0
    depth = max((cell.rowspan for cell in first), default=1)
    if depth == 1 and any(1 < cell.colspan < columns for cell in first):
        depth = 2
    if depth > _MAX_HEAD or depth >= rows:
        depth = 1
    following = sorted((cell for cell in cells if cell.row == depth), key=lambda cell: cell.column)
    if len(following) == columns and [cell.text.strip(" .") for cell in following] == [str(n + 1) for n in range(columns)]:
        depth += 1
    return depth


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
