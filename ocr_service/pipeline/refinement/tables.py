"""The judge of tables: cell by cell where the answer has the evidence's grid, as a whole where it has another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.domain.blocks import Block, TableCell, TableGrid
from ocr_service.pipeline.refinement.alignment import Comparison, compare
from ocr_service.pipeline.refinement.cell_places import stands_where_the_page_has_it
from ocr_service.pipeline.refinement.evidence import SURE, Piece, cells_of, lines_of, piece_of
from ocr_service.pipeline.refinement.findings import contradiction, doubts, notes
from ocr_service.pipeline.refinement.folding import folded
from ocr_service.pipeline.refinement.script import mended
from ocr_service.pipeline.refinement.verdict import DIGITS_DIFFER, Verdict, believed, rejected

# So many cells of a table may keep the evidence's text against the answer's; more, and the answer is not about this table.
_KEPT_SHARE = 0.1


def judge_table(block: Block, answer: TableGrid) -> Verdict:
    """The verdict on a well-formed table."""
    pieces = cells_of(block) or lines_of(block)
    written = _mended(answer, block.table, pieces)
    if block.table is not None and _shape(block.table) == _shape(answer):
        return _same_grid(block, block.table, written)
    if block.table is not None and block.table.columns > 1 and _is_poorer(answer, block.table, block):
        return rejected("another grid than the page's", _whole(pieces, written).agreement)
    return _other_grid(block, written)


def _same_grid(block: Block, evidence: TableGrid, answer: TableGrid) -> Verdict:
    """A cell that contradicts its evidence keeps the evidence's text."""
    there = {(cell.row, cell.column): cell for cell in answer.cells}
    cells: list[TableCell] = []
    doubted: set[str] = set()
    noted: set[str] = set()
    kept, digits_kept = 0, False
    for cell in evidence.cells:
        text = there[cell.row, cell.column].text
        piece = piece_of(cell, block)
        comparison = compare([piece], text)
        if contradiction(comparison, [piece]):
            kept += 1
            digits_kept = digits_kept or DIGITS_DIFFER in doubts(comparison)
            cells.append(cell)
        else:
            doubted.update(doubts(comparison))
            noted.update(notes(comparison))
            cells.append(replace(cell, text=text if folded(text) else cell.text))
    grid = TableGrid(evidence.rows, evidence.columns, tuple(cells))
    agreement = _whole(cells_of(block), answer).agreement
    if kept > max(1, _KEPT_SHARE * sum(bool(cell.text) for cell in evidence.cells)):
        return rejected("cells contradict the evidence", agreement)
    if digits_kept:
        noted.add(DIGITS_DIFFER)
    verdict = believed(tuple(sorted(doubted)), agreement, table=grid, notes=tuple(sorted(noted)))
    if doubted or not kept:
        return verdict
    return replace(verdict, reason=f"agrees with the evidence, which {kept} {'cell keeps' if kept == 1 else 'cells keep'}")


def _other_grid(block: Block, answer: TableGrid) -> Verdict:
    """Another grid is believed if it says the same in the same order, and every cell stands where the page has it."""
    first, second = cells_of(block) or lines_of(block), lines_of(block)
    judged = [(contradiction(comparison, pieces), comparison) for pieces in (first, second) for comparison in [_whole(pieces, answer)]]
    reason, comparison = min(judged, key=lambda one: (bool(one[0]), -one[1].agreement))
    if reason:
        return rejected(reason, comparison.agreement)
    if not stands_where_the_page_has_it(answer, (*first, *second)):
        return rejected("cells are not where the page has them", comparison.agreement)
    return believed(doubts(comparison), comparison.agreement, table=answer, notes=notes(comparison))


def _whole(pieces: Sequence[Piece], answer: TableGrid) -> Comparison:
    return compare(pieces, "\n".join(cell.text for cell in answer.cells))


def _is_poorer(answer: TableGrid, evidence: TableGrid, block: Block) -> bool:
    """Rulings found on a page that is clear enough to be read surely are not given up for other columns or fewer merged cells."""
    if block.confidence is not None and block.confidence < SURE:
        return False
    return block.confidence is None or answer.columns != evidence.columns or _merged(answer) < _merged(evidence)


def _merged(grid: TableGrid) -> int:
    return sum(cell.rowspan * cell.colspan > 1 for cell in grid.cells)


def _mended(answer: TableGrid, evidence: TableGrid | None, pieces: Sequence[Piece]) -> TableGrid:
    """Every cell in the alphabet of its own evidence, where that is in the same place, else of the table's."""
    own = {(cell.row, cell.column): cell.text for cell in evidence.cells} if evidence is not None else {}
    texts = [piece.text for piece in pieces]
    cells = (replace(cell, text=mended(cell.text, [own.get((cell.row, cell.column), "")], texts)) for cell in answer.cells)
    return TableGrid(answer.rows, answer.columns, tuple(cells))


def _shape(grid: TableGrid) -> tuple[tuple[int, int, int, int], ...]:
    return tuple(sorted((cell.row, cell.column, cell.rowspan, cell.colspan) for cell in grid.cells))
