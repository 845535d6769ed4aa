"""The lattice of a group of rulings: its row lines and column lines, and which of their edges are really drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.components import Component
from ocr_service.engines.tables.rulings import Gray, Ruling, profile

_SAME_LINE = 9.0  # px between two rulings that are one line of the lattice (double rules)
_BEYOND = 24.0  # px that lines must reach past the last crossing line for an undrawn outer border
_SHARE = 0.4  # of the line's own darkness that an edge must have
_EVEN = 0.6  # of the inked share of the long lines that every quarter of an edge must have
_REACH = 9  # px to both sides of a line that are looked at


@dataclass(frozen=True, slots=True, eq=False)
class LatticeLine:
    """A row or column line; `rulings` is empty for an outer border that is not drawn. `position` is at the lattice's middle."""

    position: float
    slope: float
    middle: float
    rulings: tuple[Ruling, ...] = ()

    def at(self, along: float) -> float:
        """Its position across, at that place along it."""
        near = min(self.rulings, key=lambda line: (max(line.start - along, along - line.end, 0.0), -line.length), default=None)
        if near is None:
            return self.position + (along - self.middle) * self.slope
        inside = min(max(along, near.start), near.end)
        return near.at(inside) + (along - inside) * self.slope


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


def build_lattices(component: Component, darkness: Gray, turned: Gray) -> list[Lattice]:
    """The lattices of a group of lines, one a table. `turned` is `darkness` transposed."""
    x_middle = (min(line.start for line in component.horizontal) + max(line.end for line in component.horizontal)) / 2
    y_middle = (min(line.start for line in component.vertical) + max(line.end for line in component.vertical)) / 2
    rows = _lines(component.horizontal, x_middle)
    columns = _lines(component.vertical, y_middle)
    rows, columns = _with_outer(rows, component.vertical, x_middle), _with_outer(columns, component.horizontal, y_middle)
    if len(rows) < 2 or len(columns) < 2:
        return []
    lattice = Lattice(tuple(rows), tuple(columns), _edges(rows, columns, darkness), _edges(columns, rows, turned).T)
    return [closed for part in split_lattice(lattice) if (closed := _closed(part)) is not None]


def split_lattice(lattice: Lattice) -> list[Lattice]:
    """Tables that only stray lines or a common border hold together, each by itself."""
    for i in range(len(lattice.rows) - 1):
        if not lattice.beside[i].any() and _has_drawn_sides(lattice):
            return [part for half in (_rows_of(lattice, 0, i), _rows_of(lattice, i + 1, len(lattice.rows) - 1)) for part in _split_on(half)]
        if i and _is_seam(lattice, i):
            return [part for half in (_rows_of(lattice, 0, i), _rows_of(lattice, i, len(lattice.rows) - 1)) for part in _split_on(half)]
    for j in range(len(lattice.columns) - 1):
        if not lattice.below[:, j].any():
            halves = (_columns_of(lattice, 0, j), _columns_of(lattice, j + 1, len(lattice.columns) - 1))
            return [part for half in halves for part in _split_on(half)]
    return [lattice]


def _split_on(part: Lattice) -> list[Lattice]:
    return split_lattice(part) if len(part.rows) > 1 and len(part.columns) > 1 else []


def _has_drawn_sides(lattice: Lattice) -> bool:
    return bool(lattice.columns[0].rulings) and bool(lattice.columns[-1].rulings)


def _is_seam(lattice: Lattice, row: int) -> bool:
    """A line right across below which all columns are others than above: two tables that touch."""
    above, under = lattice.beside[row - 1, 1:-1], lattice.beside[row, 1:-1]
    return bool(lattice.below[row].all() and above.sum() >= 2 and under.sum() >= 2 and not (above & under).any())


def _rows_of(lattice: Lattice, first: int, last: int) -> Lattice:
    return Lattice(lattice.rows[first : last + 1], lattice.columns, lattice.below[first : last + 1], lattice.beside[first:last])


def _columns_of(lattice: Lattice, first: int, last: int) -> Lattice:
    return Lattice(lattice.rows, lattice.columns[first : last + 1], lattice.below[:, first:last], lattice.beside[:, first : last + 1])


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


def _edges(lines: list[LatticeLine], across: list[LatticeLine], darkness: Gray) -> NDArray[np.bool_]:
    """For each line and each pair of neighbouring crossing lines: is the line drawn between them?"""
    drawn = np.zeros((len(lines), len(across) - 1), bool)
    solidity = _solidity(lines, darkness)
    for index, line in enumerate(lines):
        ends = [other.at(line.position) for other in across]
        spans = list(zip(ends, ends[1:], strict=False))
        strips = [_strip(line, start, end, darkness) for start, end in spans]
        covered = [_coverage(line, start, end) for start, end in spans]
        typical = [strip for strip, cover in zip(strips, covered, strict=True) if cover > 0.7]
        if not typical:
            continue
        strength = float(np.median([_ridge(strip) for strip in typical]))
        ink = float(np.median(np.concatenate([_ink(strip) for strip in typical])))
        for place, (strip, cover) in enumerate(zip(strips, covered, strict=True)):
            share = _ridge(strip) / max(strength, 1.0)
            even = _evenness(strip, ink) > _EVEN * solidity
            drawn[index, place] = even and share > (_SHARE if cover > 0.5 else 1.5 * _SHARE)
    return drawn


def _solidity(lines: list[LatticeLine], darkness: Gray) -> float:
    """Share of their length that the long lines are inked: 1 on a clean page, about 0.3 after a fax machine."""
    rulings = [ruling for line in lines for ruling in line.rulings]
    longest = max(ruling.length for ruling in rulings)
    shares = []
    for ruling in rulings:
        if ruling.length >= 0.5 * longest:
            along = np.arange(int(ruling.start), int(ruling.end))
            ink = profile(darkness, along, np.interp(along, ruling.along, ruling.across).astype(np.float32))
            shares.append(float((ink > 0.5 * max(ruling.strength * 4, float(np.median(ink)))).mean()))
    return float(np.median(shares))


def _coverage(line: LatticeLine, start: float, end: float) -> float:
    inside = sum(max(0.0, min(ruling.end, end) - max(ruling.start, start)) for ruling in line.rulings)
    return inside / max(1.0, end - start)


def _strip(line: LatticeLine, start: float, end: float, darkness: Gray) -> Gray:
    """The pixels within `_REACH` of the line between two places, straightened; the ends, where lines cross, are left out."""
    margin = min(5.0, (end - start) / 6)
    along = np.arange(round(start + margin), max(round(start + margin) + 1, round(end - margin)))
    knots = np.linspace(along[0], along[-1], 8)
    course = np.interp(along, knots, [line.at(float(knot)) for knot in knots])
    rows = np.round(course).astype(int)[None, :] + np.arange(-_REACH, _REACH + 1)[:, None]
    return darkness[np.clip(rows, 0, darkness.shape[0] - 1), np.clip(along, 0, darkness.shape[1] - 1)[None, :]]


def _ridge(strip: Gray) -> float:
    """Mean darkness of the line above that of its darker side, 5 px away."""
    mean = strip.mean(axis=1)
    pooled = np.maximum(mean, (mean + np.roll(mean, 1)) * 0.7)
    middle = np.arange(_REACH - 3, _REACH + 4)
    return float(np.max(pooled[middle] - np.maximum(mean[middle - 5], mean[middle + 5])))


def _ink(strip: Gray) -> Gray:
    """The greatest darkness near the line at each place along it."""
    return np.asarray(strip[_REACH - 2 : _REACH + 3].max(axis=0), np.uint8)


def _evenness(strip: Gray, ink: float) -> float:
    """Share of inked places in the emptiest quarter: letters leave the ends of a cell free, a line does not."""
    inked = _ink(strip) > 0.5 * ink
    return min(float(part.mean()) for part in np.array_split(inked, 4) if part.size)


def _closed(lattice: Lattice) -> Lattice | None:
    """With its outer border, drawn or not, and without inner lines of which nothing is drawn; None if no cell is left."""
    rows = [i for i in range(len(lattice.rows)) if lattice.below[i].any() or not lattice.rows[i].rulings]
    columns = [j for j in range(len(lattice.columns)) if lattice.beside[:, j].any() or not lattice.columns[j].rulings]
    if len(rows) < 2 or len(columns) < 2:
        return None
    below = np.array([[lattice.below[i, a:b].mean() > 0.5 for a, b in zip(columns, columns[1:], strict=False)] for i in rows])
    beside = np.array([[lattice.beside[a:b, j].mean() > 0.5 for j in columns] for a, b in zip(rows, rows[1:], strict=False)])
    below[[0, -1], :] = True
    beside[:, [0, -1]] = True
    return Lattice(tuple(lattice.rows[i] for i in rows), tuple(lattice.columns[j] for j in columns), below, beside)
