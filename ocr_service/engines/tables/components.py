"""Which rulings belong together: those that meet. Lines that meet nothing (underlines, letters) are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.rulings import Ruling

_TOUCH = 12.0  # px between the end of a line and the line that it should meet
_FREE_LENGTH = 140.0  # px; a shorter line that meets nothing at either end is not part of a table
_HALF_FREE_LENGTH = 70.0  # px; a shorter line must meet another at both ends
_ALIKE = 0.6  # of the darkness of a group's column lines that another must have to be taken in
_LOWEST = 17.0  # px; what is lower is a line of letters, whose feet and heads passed for rulings


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Rulings that are connected by crossings."""

    horizontal: tuple[Ruling, ...]
    vertical: tuple[Ruling, ...]


def crossing(horizontal: Ruling, vertical: Ruling) -> tuple[float, float] | None:
    """Where the two lines (nearly) meet: x, y; None if they do not."""
    y = horizontal.at((horizontal.start + horizontal.end) / 2)
    x = vertical.at(y)
    y = horizontal.at(x)
    x = vertical.at(y)
    meets = horizontal.start - _TOUCH <= x <= horizontal.end + _TOUCH and vertical.start - _TOUCH <= y <= vertical.end + _TOUCH
    return (x, y) if meets else None


def components(horizontal: tuple[Ruling, ...], vertical: tuple[Ruling, ...]) -> list[Component]:
    """Connected groups with at least two lines each way, or one more that way and one the other."""
    # Letters of a sharp page give hundreds of short lines: only pairs whose boxes meet are looked at closely.
    near = _boxes_meet(horizontal, vertical)
    points: dict[tuple[int, int], tuple[float, float]] = {}
    for row, column in zip(*np.nonzero(near), strict=True):
        point = crossing(horizontal[row], vertical[column])
        if point is not None:
            points[int(row), int(column)] = point
    meets = np.zeros(near.shape, bool)
    for pair in points:
        meets[pair] = True
    rows, columns = _pruned(horizontal, vertical, meets, points)
    found = []
    while rows.any():
        group_rows, group_columns = _reach(int(np.flatnonzero(rows)[0]), rows, columns, meets)
        rows &= ~group_rows
        component = Component(_chosen(horizontal, group_rows), _chosen(vertical, group_columns))
        component = replace(component, vertical=(*component.vertical, *_adopted(_chosen(vertical, ~columns), component)))
        if len(component.horizontal) >= 2 and len(component.vertical) >= 1 and _height(component) >= _LOWEST:
            found.append(component)
    return found


def _boxes_meet(horizontal: Sequence[Ruling], vertical: Sequence[Ruling]) -> NDArray[np.bool_]:
    """Rows × columns: whether the two lines' boxes touch."""
    rows = np.array([(line.start, line.end, line.across.min(), line.across.max()) for line in horizontal]).reshape(-1, 4)
    columns = np.array([(line.across.min(), line.across.max(), line.start, line.end) for line in vertical]).reshape(-1, 4)
    reach = 2 * _TOUCH
    beside = (rows[:, None, 0] - reach <= columns[None, :, 1]) & (columns[None, :, 0] <= rows[:, None, 1] + reach)
    over = (rows[:, None, 2] - reach <= columns[None, :, 3]) & (columns[None, :, 2] <= rows[:, None, 3] + reach)
    return np.asarray(beside & over)


def _reach(
    seed: int, rows: NDArray[np.bool_], columns: NDArray[np.bool_], meets: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """All rows and columns that are connected with the seed row, as masks."""
    group_rows = np.zeros_like(rows)
    group_columns = np.zeros_like(columns)
    group_rows[seed] = True
    while True:
        more_columns = columns & (group_columns | meets[group_rows].any(axis=0))
        more_rows = rows & (group_rows | meets[:, more_columns].any(axis=1))
        if (more_rows == group_rows).all() and (more_columns == group_columns).all():
            return group_rows, group_columns
        group_rows, group_columns = more_rows, more_columns


def _pruned(
    horizontal: Sequence[Ruling], vertical: Sequence[Ruling], meets: NDArray[np.bool_], points: dict[tuple[int, int], tuple[float, float]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks without the short lines whose ends are free; again and again, as dropping one may free another."""
    rows, columns = np.ones(len(horizontal), bool), np.ones(len(vertical), bool)
    while True:
        before = int(rows.sum() + columns.sum())
        for row in np.flatnonzero(rows):
            rows[row] = _anchored(horizontal[row], [points[row, column][0] for column in np.flatnonzero(meets[row] & columns)])
        for column in np.flatnonzero(columns):
            columns[column] = _anchored(vertical[column], [points[row, column][1] for row in np.flatnonzero(meets[:, column] & rows)])
        if int(rows.sum() + columns.sum()) == before:
            return rows, columns


def _anchored(line: Ruling, places: Sequence[float]) -> bool:
    if not places:
        return False
    ends = sum(min(abs(place - end) for place in places) <= _TOUCH for end in (line.start, line.end))
    return ends == 2 or line.length >= (_HALF_FREE_LENGTH if ends else _FREE_LENGTH)


def _adopted(free: Sequence[Ruling], component: Component) -> list[Ruling]:
    """Long column lines inside the group that meet nothing, as the row lines at which they end are gone; as dark as the others."""
    if not component.vertical:
        return []
    strength = median(column.strength for column in component.vertical)
    xs = [float(column.across.mean()) for column in component.vertical]
    ys = [float(row.across.mean()) for row in component.horizontal]
    return [
        line
        for line in free
        if line.length >= _FREE_LENGTH
        and line.strength > _ALIKE * strength
        and min(xs) < line.at(line.start) < max(xs)
        and min(ys) < line.start
        and line.end < max(ys)
    ]


def _chosen(lines: Sequence[Ruling], mask: NDArray[np.bool_]) -> tuple[Ruling, ...]:
    return tuple(line for line, chosen in zip(lines, mask, strict=True) if chosen)


def _height(component: Component) -> float:
    """From the highest to the lowest horizontal line, in pixels."""
    return float(max(line.across.max() for line in component.horizontal) - min(line.across.min() for line in component.horizontal))
