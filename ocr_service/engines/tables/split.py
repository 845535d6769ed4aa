"""Tables that a common border or a stray line holds together are taken apart."""

from __future__ import annotations

from ocr_service.engines.tables.lattice import Lattice

_ACROSS = 0.75  # of a row line that must be drawn for it to part two tables


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
    """A line right across below which all columns are others than above, and more (fewer are a total): two tables that touch."""
    above, under = lattice.beside[row - 1, 1:-1], lattice.beside[row, 1:-1]
    if lattice.below[row].mean() < _ACROSS or not under.sum() > above.sum() >= 2:
        return False
    shared = int((above & under).sum())
    return shared == 0 or (shared == 1 and under.sum() >= 2 * above.sum() >= 6)


def _rows_of(lattice: Lattice, first: int, last: int) -> Lattice:
    return Lattice(lattice.rows[first : last + 1], lattice.columns, lattice.below[first : last + 1], lattice.beside[first:last])


def _columns_of(lattice: Lattice, first: int, last: int) -> Lattice:
    return Lattice(lattice.rows, lattice.columns[first : last + 1], lattice.below[:, first:last], lattice.beside[:, first : last + 1])
