"""Row lines betrayed by column lines that end in the middle of the table: what ends there must end at something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.lattice import Lattice, LatticeLine

_NEAR = 15.0  # px between an end and a row line that is known
_TOGETHER = 32.0  # px between ends at one row line: where lines fade, ends are vague
_LONG = 56.0  # px; the ends of shorter column lines betray nothing
_BREAK = 130.0  # px between two parts of a column line that is only interrupted


def with_junctions(rows: Sequence[LatticeLine], columns: Sequence[LatticeLine]) -> list[LatticeLine]:
    """The row lines, and those that ends of inner column lines betray."""
    ends = sorted(end for column in columns[1:-1] for end in _free_ends(column, rows))
    groups: list[list[float]] = []
    for end in ends:
        if groups and end - groups[-1][-1] <= _TOGETHER:
            groups[-1].append(end)
        else:
            groups.append([end])
    middle = rows[0].middle
    found = [LatticeLine(float(np.median(group)), rows[0].slope, middle) for group in groups]
    return sorted((*rows, *found), key=lambda line: line.position)


def _free_ends(column: LatticeLine, rows: Sequence[LatticeLine]) -> list[float]:
    """Where the column line ends without meeting a row line; heights at the table's middle."""
    free = []
    for ruling in column.rulings:
        others = [other for other in column.rulings if other is not ruling]
        if ruling.length < _LONG:
            continue
        if not any(0 <= other.start - ruling.end < _BREAK for other in others):
            free.append(ruling.end)
        if not any(0 <= ruling.start - other.end < _BREAK for other in others):
            free.append(ruling.start)
    leaning = [end - rows[0].slope * (column.position - rows[0].middle) for end in free]
    inside = [end for end in leaning if rows[0].position + _NEAR < end < rows[-1].position - _NEAR]
    return [end for end in inside if all(abs(end - row.position) > _NEAR for row in rows)]


def junction_edges(lattice: Lattice) -> NDArray[np.bool_]:
    """`below` with the edges of betrayed row lines: from the column line that goes on to the left to that to the right."""
    result = lattice.below.copy()
    last = len(lattice.columns) - 1
    for i, row in enumerate(lattice.rows[1:-1], 1):
        if row.rulings:
            continue
        heights = [row.at(column.at(row.position)) for column in lattice.columns]
        through = [j in {0, last} or _goes_through(lattice.columns[j], y) for j, y in enumerate(heights)]
        for j, y in enumerate(heights):
            if not through[j] and _ends_at(lattice.columns[j], y):
                left = max(k for k in range(j) if through[k])
                right = min(k for k in range(j + 1, last + 1) if through[k])
                result[i, left:right] = True
    return result


def _ends_at(column: LatticeLine, y: float) -> bool:
    return any(abs(end - y) <= _TOGETHER for ruling in column.rulings for end in (ruling.start, ruling.end))


def _goes_through(column: LatticeLine, y: float) -> bool:
    above = any(ruling.start < y - _TOGETHER and ruling.end > y - _TOGETHER for ruling in column.rulings)
    return above and any(ruling.end > y + _TOGETHER and ruling.start < y + _TOGETHER for ruling in column.rulings)
