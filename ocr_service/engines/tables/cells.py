"""Cells of a lattice: units between which nothing is drawn are one cell, made rectangular."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Span(NamedTuple):
    """A cell's place in the grid, counted from 0."""

    row: int
    column: int
    rowspan: int
    colspan: int


def merge_units(below: NDArray[np.bool_], beside: NDArray[np.bool_]) -> list[Span]:
    """Cells row by row. `below` (rows+1, columns) and `beside` (rows, columns+1) say which edges are drawn."""
    rows, columns = beside.shape[0], below.shape[1]
    boxes = {(i, j): (i, j, i, j) for i in range(rows) for j in range(columns)}
    owner = {unit: unit for unit in boxes}
    for i in range(rows):
        for j in range(columns):
            if i + 1 < rows and not below[i + 1, j]:
                _unite((i, j), (i + 1, j), owner, boxes)
            if j + 1 < columns and not beside[i, j + 1]:
                _unite((i, j), (i, j + 1), owner, boxes)
    _square(owner, boxes)
    top_left = sorted(boxes[unit] for unit in boxes if owner[unit] == unit)
    return [Span(top, left, bottom - top + 1, right - left + 1) for top, left, bottom, right in top_left]


def compact(spans: list[Span]) -> list[Span]:
    """The same cells without the rows and columns in which no cell begins."""
    rows = {row: index for index, row in enumerate(sorted({span.row for span in spans}))}
    columns = {column: index for index, column in enumerate(sorted({span.column for span in spans}))}
    return [
        Span(
            rows[span.row],
            columns[span.column],
            sum(span.row <= row < span.row + span.rowspan for row in rows),
            sum(span.column <= column < span.column + span.colspan for column in columns),
        )
        for span in spans
    ]


_Unit = tuple[int, int]
_Box = tuple[int, int, int, int]


def _find(unit: _Unit, owner: dict[_Unit, _Unit]) -> _Unit:
    while owner[unit] != unit:
        unit = owner[unit]
    return unit


def _unite(first: _Unit, second: _Unit, owner: dict[_Unit, _Unit], boxes: dict[_Unit, _Box]) -> None:
    a, b = _find(first, owner), _find(second, owner)
    if a != b:
        one, two = boxes[a], boxes[b]
        owner[b] = a
        boxes[a] = (min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3]))


def _square(owner: dict[_Unit, _Unit], boxes: dict[_Unit, _Box]) -> None:
    """An L-shaped cell takes in whatever its bounding rectangle covers, until all are rectangles."""
    changed = True
    while changed:
        changed = False
        for unit in list(boxes):
            root = _find(unit, owner)
            top, left, bottom, right = boxes[root]
            for i in range(top, bottom + 1):
                for j in range(left, right + 1):
                    if _find((i, j), owner) != _find(root, owner):
                        _unite(root, (i, j), owner, boxes)
                        changed = True
