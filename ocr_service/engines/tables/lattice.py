"""The lattice of a group of rulings: its row lines and column lines, and which of their edges are really drawn."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.cells import merge_units
from ocr_service.engines.tables.components import Component
from ocr_service.engines.tables.rulings import Ruling

_SAME_LINE = 9.0  # px between two rulings that are one line of the lattice (double rules)
_BEYOND = 24.0  # px that lines must reach past the last crossing line for an undrawn outer border


@dataclass(frozen=True, slots=True, eq=False)
class LatticeLine:
    """A row or column line; `rulings` is empty for an outer border that is not drawn. `position` is at the lattice's middle."""

    position: float
    slope: float
    middle: float
    rulings: tuple[Ruling, ...] = ()

    def at(self, along: float) -> float:
        """Its position across, at that place along it."""
        if len(self.rulings) == 1:
            return self._beside(self.rulings[0], along)
        near = min(self.rulings, key=lambda line: (max(line.start - along, along - line.end, 0.0), -line.length), default=None)
        if near is None:
            return self.position + (along - self.middle) * self.slope
        return self._beside(near, along)

    def _beside(self, ruling: Ruling, along: float) -> float:
        inside = min(max(along, ruling.start), ruling.end)
        return ruling.at(inside) + (along - inside) * self.slope


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """`rows` lines from the top, `columns` lines from the left.

    `below[i, j]`: row line i is drawn above unit (i, j), between column lines j and j+1; shape (rows, columns − 1).
    `beside[i, j]`: column line j is drawn left of unit (i, j); shape (rows − 1, columns).
    """

    rows: tuple[LatticeLine, ...]
    columns: tuple[LatticeLine, ...]
    below: NDArray[np.bool_]
    beside: NDArray[np.bool_]

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Where a row line and a column line cross: x, y."""
        y = self.rows[row].position
        x = self.columns[column].at(y)
        y = self.rows[row].at(x)
        return self.columns[column].at(y), y


def lattice_lines(component: Component) -> tuple[list[LatticeLine], list[LatticeLine]]:
    """Row lines from the top and column lines from the left, undrawn outer borders included."""
    x_middle = (min(line.start for line in component.horizontal) + max(line.end for line in component.horizontal)) / 2
    y_middle = (min(line.start for line in component.vertical) + max(line.end for line in component.vertical)) / 2
    rows = _lines(component.horizontal, x_middle)
    columns = _lines(component.vertical, y_middle)
    return _with_outer(rows, component.vertical, x_middle), _with_outer(columns, component.horizontal, y_middle)


def closed(lattice: Lattice) -> Lattice | None:
    """With its outer border, drawn or not, and without lines that part no cells; None if less than a cell is left."""
    rows = [index for index, row in enumerate(lattice.below) if row.any() or not lattice.rows[index].rulings]
    columns = [index for index, column in enumerate(lattice.beside.T) if column.any() or not lattice.columns[index].rulings]
    if len(rows) < 2 or len(columns) < 2:
        return None
    outer = bordered(_thinned(lattice, rows, columns))
    spans = merge_units(outer.below, outer.beside)
    rows = sorted({span.row for span in spans} | {len(outer.rows) - 1})
    columns = sorted({span.column for span in spans} | {len(outer.columns) - 1})
    return _thinned(outer, rows, columns)


def bordered(lattice: Lattice) -> Lattice:
    """With its outer border, drawn or not."""
    below, beside = lattice.below.copy(), lattice.beside.copy()
    below[[0, -1], :] = True
    beside[:, [0, -1]] = True
    return Lattice(lattice.rows, lattice.columns, below, beside)


def _thinned(lattice: Lattice, rows: list[int], columns: list[int]) -> Lattice:
    """Only these lines; an edge is drawn if most of its parts are."""
    below = np.array([[lattice.below[i, a:b].mean() > 0.5 for a, b in itertools.pairwise(columns)] for i in rows])
    beside = np.array([[lattice.beside[a:b, j].mean() > 0.5 for j in columns] for a, b in itertools.pairwise(rows)])
    return Lattice(tuple(lattice.rows[i] for i in rows), tuple(lattice.columns[j] for j in columns), below, beside)


def _lines(rulings: tuple[Ruling, ...], middle: float) -> list[LatticeLine]:
    """Rulings at the same height (seen along the drift of their neighbours) are one line."""
    slope = _slope_field(rulings)
    placed = sorted(((_at_middle(line, middle, slope), line) for line in rulings), key=lambda item: item[0])
    groups: list[list[tuple[float, Ruling]]] = []
    for position, line in placed:
        if groups and position - float(np.mean([item[0] for item in groups[-1]])) <= _SAME_LINE:
            groups[-1].append((position, line))
        else:
            groups.append([(position, line)])
    lines = []
    for group in groups:
        weights = [line.length for _, line in group]
        position = float(np.average([item[0] for item in group], weights=weights))
        lines.append(LatticeLine(position, float(np.polyval(slope, position)), middle, tuple(line for _, line in group)))
    return lines


def _slope_field(rulings: tuple[Ruling, ...]) -> NDArray[np.float64]:
    """Slope as a linear function of the position across (perspective); of the long lines only, others are too uncertain."""
    longest = max(line.length for line in rulings)
    trusted = [line for line in rulings if line.length >= max(0.5 * longest, 100)] or list(rulings)
    slopes = np.array([line.slope for line in trusted])
    positions = np.array([float(np.mean(line.across)) for line in trusted])
    if len(trusted) < 4 or np.ptp(positions) < 200:
        return np.array([float(np.median(slopes))])
    return np.asarray(np.polyfit(positions, slopes, 1, w=[line.length for line in trusted]), np.float64)


def _at_middle(line: Ruling, middle: float, slope: NDArray[np.float64]) -> float:
    inside = min(max(middle, line.start), line.end)
    position = line.at(inside)
    return position + (middle - inside) * float(np.polyval(slope, position))


def _with_outer(lines: list[LatticeLine], crossing: tuple[Ruling, ...], middle: float) -> list[LatticeLine]:
    """With an undrawn border where at least two crossing lines reach equally far beyond the outermost drawn one."""
    result = list(lines)
    for side in (-1, 1):
        outermost = lines[0 if side < 0 else -1]
        reaches = sorted(((line.start if side < 0 else line.end) * side for line in crossing), reverse=True)
        beyond = [reach * side for reach in reaches if (reach - outermost.position * side) > _BEYOND]
        agreeing = [reach for reach in beyond if abs(reach - beyond[0]) <= 15]
        if len(agreeing) >= max(2, 0.4 * len(crossing)):
            border = LatticeLine(float(np.median(agreeing)), outermost.slope, middle)
            result = [border, *result] if side < 0 else [*result, border]
    return result
