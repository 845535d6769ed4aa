"""Which rulings belong together: those that meet. Lines that meet nothing (underlines, letters) are dropped."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_service.engines.tables.rulings import Ruling

_TOUCH = 12.0  # px between the end of a line and the line that it should meet
_FREE_LENGTH = 140.0  # px; a shorter line that meets nothing at either end is not part of a table
_HALF_FREE_LENGTH = 70.0  # px; a shorter line must meet another at both ends


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
    meets = (
        horizontal.start - _TOUCH <= x <= horizontal.end + _TOUCH and vertical.start - _TOUCH <= y <= vertical.end + _TOUCH
    )
    return (x, y) if meets else None


def components(horizontal: tuple[Ruling, ...], vertical: tuple[Ruling, ...]) -> list[Component]:
    """Connected groups with at least two lines each way, or one more that way and one the other."""
    rows, columns = _pruned(list(horizontal), list(vertical))
    found = []
    while rows:
        group_rows, group_columns = _reach(rows[0], rows, columns)
        rows = [line for line in rows if line not in group_rows]
        if len(group_rows) >= 2 and len(group_columns) >= 1:
            found.append(Component(tuple(group_rows), tuple(group_columns)))
    return found


def _reach(seed: Ruling, rows: list[Ruling], columns: list[Ruling]) -> tuple[list[Ruling], list[Ruling]]:
    group_rows, group_columns, todo = [seed], list[Ruling](), [(seed, True)]
    while todo:
        line, is_row = todo.pop()
        for other in columns if is_row else rows:
            group = group_columns if is_row else group_rows
            if other not in group and (crossing(line, other) if is_row else crossing(other, line)):
                group.append(other)
                todo.append((other, not is_row))
    return group_rows, group_columns


def _pruned(rows: list[Ruling], columns: list[Ruling]) -> tuple[list[Ruling], list[Ruling]]:
    """Without the short lines whose ends are free; again and again, as dropping one may free another."""
    while True:
        kept_rows = [line for line in rows if _anchored(line, [crossing(line, other) for other in columns], 0)]
        kept_columns = [line for line in columns if _anchored(line, [crossing(other, line) for other in kept_rows], 1)]
        if len(kept_rows) == len(rows) and len(kept_columns) == len(columns):
            return rows, columns
        rows, columns = kept_rows, kept_columns


def _anchored(line: Ruling, crossings: list[tuple[float, float] | None], axis: int) -> bool:
    places = [point[axis] for point in crossings if point is not None]
    if not places:
        return False
    ends = sum(min(abs(place - end) for place in places) <= _TOUCH for end in (line.start, line.end))
    return ends == 2 or line.length >= (_HALF_FREE_LENGTH if ends else _FREE_LENGTH)
