"""Cells of a lattice: units between which nothing is drawn are one cell, made rectangular."""

from __future__ import annotations

from typing import NamedTuple

import cv2
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
    labels = _connected(below[1:-1], beside[:, 1:-1])
    boxes = {label: _box(labels == label) for label in np.unique(labels).tolist()}
    _square(labels, boxes)
    return [Span(top, left, bottom - top, right - left) for top, left, bottom, right in sorted(boxes.values())]


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


_Box = tuple[int, int, int, int]  # top, left, bottom, right; the last two are one beyond


def _connected(below: NDArray[np.bool_], beside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number for every unit, the same for those between which nothing is drawn. Only inner edges are given."""
    rows, columns = len(beside), below.shape[1]
    # Units and the openings between them as pixels of a picture, in which connected pixels are one cell.
    picture = np.zeros((2 * rows - 1, 2 * columns - 1), np.uint8)
    picture[::2, ::2] = 1
    picture[1::2, ::2] = ~below
    picture[::2, 1::2] = ~beside
    return np.asarray(cv2.connectedComponents(picture, connectivity=4)[1][::2, ::2], np.int32)


def _box(mask: NDArray[np.bool_]) -> _Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _square(labels: NDArray[np.int32], boxes: dict[int, _Box]) -> None:
    """An L-shaped cell takes in whatever its bounding rectangle covers, until all are rectangles."""
    waiting = list(boxes)
    while waiting:
        label = waiting.pop()
        if label not in boxes:
            continue
        top, left, bottom, right = boxes[label]
        covered = set(np.unique(labels[top:bottom, left:right]).tolist()) - {label}
        if not covered:
            continue
        for other in covered:
            labels[labels == other] = label
            boxes.pop(other)
        boxes[label] = _box(labels == label)
        # Larger now, it may cover others, and it may have grown into another's rectangle.
        waiting = list(boxes)
