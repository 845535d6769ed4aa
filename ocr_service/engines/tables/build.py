"""From connected rulings to the lattices of tables."""

from __future__ import annotations

from dataclasses import replace

from ocr_service.engines.tables.components import Component
from ocr_service.engines.tables.edges import drawn_edges
from ocr_service.engines.tables.junctions import junction_edges, with_junctions
from ocr_service.engines.tables.lattice import Lattice, LatticeLine, bordered, closed, lattice_lines
from ocr_service.engines.tables.missing import grain, is_broken, with_faint_rows, with_text_rows
from ocr_service.engines.tables.rulings import Gray
from ocr_service.engines.tables.split import split_lattice

_GRAINY = 16  # darkness (of 240) of bare paper in which hairlines drown


def build_lattices(component: Component, darkness: Gray, turned: Gray) -> list[Lattice]:
    """The lattices of a group of lines, one a table. `turned` is `darkness` transposed."""
    rows, columns = lattice_lines(component)
    if len(rows) < 2 or len(columns) < 2:
        return []
    drawn = _drawn(rows, columns, darkness, turned)
    broken, grainy = is_broken(drawn), grain(darkness) > _GRAINY
    if broken or grainy:
        rows = with_junctions(rows, columns)
        drawn = _drawn(rows, columns, darkness, turned)
        drawn = replace(drawn, below=junction_edges(drawn))
    parts = split_lattice(drawn)
    complete = _from_text if broken else _from_traces if grainy else _as_drawn
    return [lattice for part in parts if (lattice := complete(part, darkness, turned)) is not None]


def _drawn(rows: list[LatticeLine], columns: list[LatticeLine], darkness: Gray, turned: Gray) -> Lattice:
    return Lattice(tuple(rows), tuple(columns), drawn_edges(rows, columns, darkness), drawn_edges(columns, rows, turned).T)


def _as_drawn(part: Lattice, darkness: Gray, turned: Gray) -> Lattice | None:
    """On smooth paper lines are there or not; rows are guessed only where text stands in many regular ones."""
    lattice = closed(part)
    if lattice is None or lattice.below.shape[1] < 2:
        return lattice
    lattice = closed(with_faint_rows(lattice, darkness, turned))
    return lattice and with_text_rows(lattice, darkness, may_miss=False)


def _from_traces(part: Lattice, darkness: Gray, turned: Gray) -> Lattice | None:
    """On grainy paper thin lines leave traces; only where there are none at all, rows are guessed from the text."""
    traced = with_faint_rows(bordered(part), darkness, turned)
    lattice = closed(traced)
    return lattice and with_text_rows(lattice, darkness, may_miss=len(traced.rows) == len(part.rows))


def _from_text(part: Lattice, darkness: Gray, _turned: Gray) -> Lattice | None:
    """After a fax machine thin lines are gone."""
    lattice = closed(part)
    return lattice and with_text_rows(lattice, darkness, may_miss=True)
