"""What is known of a block without the VLM: its lines, or the cells of its table, each with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.domain.blocks import Block, TableCell, TextLine
from ocr_service.domain.geometry import BBox

# Measured over the lines of the evaluation set (docs/refinement.md): above it hardly a digit is wrong, below it one line in four has one.
SURE = 0.93


@dataclass(frozen=True, slots=True)
class Piece:
    """A line or a cell. `confidence` 0–1; None: the characters are the file's own. `bbox` in page pixels, where it is known."""

    text: str
    confidence: float | None
    bbox: BBox | None = None

    @property
    def is_exact(self) -> bool:
        return self.confidence is None

    @property
    def is_sure(self) -> bool:
        return self.confidence is None or self.confidence >= SURE


def lines_of(block: Block) -> tuple[Piece, ...]:
    """The lines in the order of reading: rows from top to bottom, each from left to right."""
    ordered = [line for row in _rows(block.lines) for line in sorted(row, key=lambda line: line.bbox.x0)]
    return tuple(Piece(line.text, line.confidence, line.bbox) for line in ordered)


def cells_of(block: Block) -> tuple[Piece, ...]:
    """The cells of the block's table row by row; each as sure as the least sure line in it."""
    if block.table is None:
        return ()
    return tuple(piece_of(cell, block) for cell in block.table.cells if cell.text)


def piece_of(cell: TableCell, block: Block) -> Piece:
    """One cell of the block's table."""
    return Piece(cell.text, _confidence(cell, block), cell.bbox)


def _rows(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    grouped: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.bbox.center.y):
        if grouped and _beside(grouped[-1][-1].bbox, line.bbox):
            grouped[-1].append(line)
        else:
            grouped.append([line])
    return grouped


def _beside(left: BBox, right: BBox) -> bool:
    overlap = min(left.y1, right.y1) - max(left.y0, right.y0)
    apart = min(left.x1, right.x1) - max(left.x0, right.x0) < 0.3 * min(left.width, right.width)
    return apart and overlap > 0.5 * min(left.height, right.height)


def _confidence(cell: TableCell, block: Block) -> float | None:
    box = cell.bbox
    if box is None:
        return block.confidence
    inside = [line.confidence for line in block.lines if box.contains(line.bbox.center)]
    known = [confidence for confidence in inside if confidence is not None]
    if inside and not known:
        return None
    return min(known, default=block.confidence)
