"""What a page consists of: blocks with a layout label, a box, content, and where that content came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ocr_service.domain.geometry import BBox, Point


class LayoutLabel(StrEnum):
    """The layout class of a block, in PaddleX's words; `list_item` is ours (PaddleX has no such label)."""

    DOC_TITLE = "doc_title"
    PARAGRAPH_TITLE = "paragraph_title"
    TEXT = "text"
    LIST_ITEM = "list_item"
    TABLE = "table"
    TABLE_TITLE = "table_title"
    FIGURE_TITLE = "figure_title"
    IMAGE = "image"
    CHART = "chart"
    SEAL = "seal"
    FORMULA = "formula"
    HEADER = "header"
    FOOTER = "footer"
    NUMBER = "number"
    FOOTNOTE = "footnote"

    @property
    def is_running(self) -> bool:
        """Repeated on every page (running head, running foot, page number): kept in JSON, left out of Markdown."""
        return self in {LayoutLabel.HEADER, LayoutLabel.FOOTER, LayoutLabel.NUMBER}

    @property
    def is_heading(self) -> bool:
        return self in {LayoutLabel.DOC_TITLE, LayoutLabel.PARAGRAPH_TITLE}


class ContentFormat(StrEnum):
    """How `Block.content` is written. `image`: the name of the cut-out picture's file under `images/`."""

    TEXT = "text"
    HTML = "html"
    LATEX = "latex"
    IMAGE = "image"


class Source(StrEnum):
    """Who read the content."""

    TEXT_LAYER = "text_layer"
    OCR = "ocr"
    TABLE_MODEL = "table_model"
    VLM = "vlm"


class RefinementStatus(StrEnum):
    """Whether a block was shown to the VLM, and whether its answer was believed."""

    NOT_NEEDED = "not_needed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refinement:
    """What became of the question to the VLM about one block. `agreement` 0–1 with the evidence, None if never asked."""

    status: RefinementStatus = RefinementStatus.NOT_NEEDED
    reason: str = ""
    agreement: float | None = None
    attempts: int = 0
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text as it was read. `confidence` 0–1; None where the characters are the file's own."""

    bbox: BBox
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class TableCell:
    """One cell of a table grid; row and column count from 0, spans from 1."""

    row: int
    column: int
    text: str
    rowspan: int = 1
    colspan: int = 1
    is_header: bool = False
    bbox: BBox | None = None


@dataclass(frozen=True, slots=True)
class TableGrid:
    """A table: every grid position is covered by exactly one cell; cells come row by row."""

    rows: int
    columns: int
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One region of a page in reading order.

    `id` is unique on its page; `bbox` and `polygon` (clockwise from the top left) are upright page pixels; `order` counts from 0;
    `level` is the heading level 1–6, None for everything else; `lines` are the lines as read (also for tables), `table` the grid
    of a table block; `marker` of a list item is its own bullet or number ("•", "2.1."), not repeated in `content`.
    """

    id: str
    label: LayoutLabel
    bbox: BBox
    order: int
    content: str
    source: Source
    format: ContentFormat = ContentFormat.TEXT
    polygon: tuple[Point, ...] = ()
    confidence: float | None = None
    level: int | None = None
    marker: str | None = None
    lines: tuple[TextLine, ...] = ()
    table: TableGrid | None = None
    refinement: Refinement = field(default_factory=Refinement)
    warnings: tuple[str, ...] = ()
