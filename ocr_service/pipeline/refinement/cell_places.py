"""Whether the cells of a table stand where the page has their text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from ocr_service.domain.blocks import TableCell, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.pipeline.refinement.evidence import Piece
from ocr_service.pipeline.refinement.folding import folded

# Only texts that occur once can be found again; a table of which fewer cells were found cannot be checked.
_FOUND_SHARE = 0.4
_MANY_CELLS = 400


def stands_where_the_page_has_it(grid: TableGrid, pieces: Sequence[Piece]) -> bool:
    """Whether the cells that are found again among the pieces stand in the rows and columns of the grid; False if too few are found."""
    filled = [cell for cell in grid.cells if folded(cell.text)]
    places = _places(pieces)
    counts = Counter(folded(cell.text) for cell in filled)
    found = [(cell, places[text]) for cell in filled if (text := folded(cell.text)) in places and counts[text] == 1]
    if len(found) < _FOUND_SHARE * len(filled) or len(found) > _MANY_CELLS:
        return False
    return all(_in_order(*first, *second) for first, second in combinations(found, 2))


def _places(pieces: Sequence[Piece]) -> dict[str, BBox]:
    """Folded text → its place, for texts that stand in one place only. A line and the cell around it are one place."""
    places: dict[str, list[BBox]] = {}
    for piece in pieces:
        if piece.bbox is not None and (text := folded(piece.text)):
            known = places.setdefault(text, [])
            if not any(box.contains(piece.bbox.center) or piece.bbox.contains(box.center) for box in known):
                known.append(piece.bbox)
    return {text: boxes[0] for text, boxes in places.items() if len(boxes) == 1}


def _in_order(first: TableCell, first_box: BBox, second: TableCell, second_box: BBox) -> bool:
    across = _side(first.column, first.colspan, second.column, second.colspan)
    down = _side(first.row, first.rowspan, second.row, second.rowspan)
    if down == 0 and across and _sign(second_box.center.x - first_box.center.x) != across:
        return False
    if across == 0 and down and _sign(second_box.center.y - first_box.center.y) != down:
        return False
    same_column = first.column == second.column and first.colspan == second.colspan == 1
    return not same_column or (first_box.x0 <= second_box.x1 and second_box.x0 <= first_box.x1)


def _side(first: int, first_span: int, second: int, second_span: int) -> int:
    """1 if the second begins after the first ends, -1 if the other way round, 0 if they share a row (or column)."""
    if first + first_span <= second:
        return 1
    return -1 if second + second_span <= first else 0


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
