"""From connected rulings to the lattices of tables."""

from __future__ import annotations

from dataclasses import replace

from ocr_service.engines.tables.components import Component
from ocr_service.engines.tables.edges import drawn_edges
from ocr_service.engines.tables.junctions import junction_edges, with_junctions
from ocr_service.engines.tables.lattice import Lattice, LatticeLine, closed, lattice_lines
from ocr_service.engines.tables.missing import may_miss_lines, with_faint_rows, with_text_rows
from ocr_service.engines.tables.rulings import Gray
from ocr_service.engines.tables.split import split_lattice


def build_lattices(component: Component, darkness: Gray, turned: Gray) -> list[Lattice]:
    """The lattices of a group of lines, one a table. `turned` is `darkness` transposed."""
    rows, columns = lattice_lines(component)
    if len(rows) < 2 or len(columns) < 2:
        return []
    drawn = _drawn(rows, columns, darkness, turned)
    may_miss = may_miss_lines(drawn, darkness, turned)
    if may_miss:
        rows = with_junctions(rows, columns)
        drawn = _drawn(rows, columns, darkness, turned)
        drawn = replace(drawn, below=junction_edges(rows, drawn.below, drawn.beside))
    parts = (closed(part) for part in split_lattice(drawn))
    return [_completed(part, darkness, may_miss=may_miss) for part in parts if part is not None]


def _drawn(rows: list[LatticeLine], columns: list[LatticeLine], darkness: Gray, turned: Gray) -> Lattice:
    return Lattice(tuple(rows), tuple(columns), drawn_edges(rows, columns, darkness), drawn_edges(columns, rows, turned).T)


def _completed(lattice: Lattice, darkness: Gray, *, may_miss: bool) -> Lattice:
    """With the row lines that were not seen one by one. Where faint ones show, none is guessed from the text."""
    if lattice.below.shape[1] < 2:
        return lattice
    completed = with_faint_rows(lattice, darkness)
    faint = len(completed.rows) - len(lattice.rows)
    return with_text_rows(completed, darkness, may_miss=may_miss and not faint)
