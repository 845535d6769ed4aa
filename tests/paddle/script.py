"""What the stub models answer, in words; needs no library, so that the adapter's tests can read it too."""

from __future__ import annotations

from dataclasses import dataclass

Fractions = tuple[float, float, float, float]
Box = tuple[str, float, float, float, float, float]  # label, score, x0, y0, x1, y1 as fractions of the page

LABELS = (
    *("paragraph_title", "image", "text", "number", "abstract", "content", "figure_title", "formula", "table", "reference"),
    *("doc_title", "footnote", "header", "algorithm", "footer", "seal", "chart", "formula_number", "aside_text", "reference_content"),
)


@dataclass(frozen=True)
class Script:
    """What the stubs answer. `table`: the column spans of each row's cells; `aspect`: width over height of the table crop."""

    layout: tuple[Box, ...]
    regions: tuple[Box, ...] = (("Region", 0.97, 0.02, 0.02, 0.98, 0.98),)
    table: tuple[tuple[int, ...], ...] = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    aspect: float = 1.0
    table_kind: str = "wired_table"
    table_kinds: tuple[str, ...] = ("wired_table", "wireless_table")
    cell_score: float = 0.9
    orientation: str = "0"
    labels: tuple[str, ...] = LABELS

    def cells(self) -> list[Fractions]:
        """The cells' boxes, row by row, as fractions of the table crop."""
        boxes = []
        for row, spans in enumerate(self.table):
            start, total = 0, sum(spans)
            for span in spans:
                boxes.append((start / total, row / len(self.table), (start + span) / total, (row + 1) / len(self.table)))
                start += span
        return boxes
