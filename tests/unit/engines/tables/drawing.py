"""Pictures of tables whose grid is known."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.cells import Span

Gray = NDArray[np.uint8]
PAGE = (1100, 1654)
LEFT, TOP = 150, 160


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table's cells, and where its lines run in a page of 200 dpi."""

    spans: tuple[Span, ...]
    xs: tuple[int, ...]
    ys: tuple[int, ...]

    def box(self, span: Span) -> BBox:
        return BBox(self.xs[span.column], self.ys[span.row], self.xs[span.column + span.colspan], self.ys[span.row + span.rowspan])

    @property
    def bbox(self) -> BBox:
        return BBox(self.xs[0], self.ys[0], self.xs[-1], self.ys[-1])

    def words(self, text: str = "12,5") -> list[Word]:
        """One word in each cell, at its left."""
        boxes = [self.box(span) for span in self.spans]
        return [Word(BBox(box.x0 + 8, box.y0 + 12, box.x0 + 48, box.y0 + 32), f"{text}", 0.9) for box in boxes]


@st.composite
def drawn_tables(draw: st.DrawFn) -> Drawn:
    """Tables of 2–6 columns and 2–8 rows with up to three merged rectangles; every line parts some cells."""
    columns, rows = draw(st.integers(2, 6)), draw(st.integers(2, 8))
    widths = draw(st.lists(st.integers(70, 220), min_size=columns, max_size=columns))
    heights = draw(st.lists(st.integers(44, 100), min_size=rows, max_size=rows))
    owner = {(i, j): (i, j) for i in range(rows) for j in range(columns)}
    spans = {unit: Span(*unit, 1, 1) for unit in owner}
    for _ in range(draw(st.integers(0, 3))):
        row, column = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
        down, right = draw(st.integers(1, min(3, rows - row))), draw(st.integers(1, min(3, columns - column)))
        units = [(row + i, column + j) for i in range(down) for j in range(right)]
        if all(spans.get(unit) == Span(*unit, 1, 1) for unit in units):
            for unit in units:
                del spans[unit]
            spans[row, column] = Span(row, column, down, right)
    grid = tuple(sorted(spans.values()))
    starts = {span.row for span in grid}, {span.column for span in grid}
    if starts != (set(range(rows)), set(range(columns))):
        grid = tuple(Span(i, j, 1, 1) for i in range(rows) for j in range(columns))
    return Drawn(grid, tuple(np.cumsum([LEFT, *widths]).tolist()), tuple(np.cumsum([TOP, *heights]).tolist()))


def draw_table(table: Drawn, *, ink: int = 90, thickness: int = 2, dash: int = 0) -> Gray:
    """A white page with the table's lines and a word in each cell; `dash`: length of dashes in pixels, 0 for unbroken lines."""
    page = np.full(PAGE, 255, np.uint8)
    for span in table.spans:
        box = table.box(span)
        corners = [(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1), (box.x0, box.y0)]
        for start, end in itertools.pairwise(corners):
            _line(page, start, end, ink, thickness, dash)
    draw_words(page, table.words())
    return page


def draw_words(page: Gray, words: list[Word]) -> None:
    """The words' text at their boxes; the letters are about as high as the box."""
    for word in words:
        scale = word.bbox.height / 34
        cv2.putText(page, word.text, (int(word.bbox.x0), int(word.bbox.y1) - 3), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 2, cv2.LINE_AA)


def _line(page: Gray, start: tuple[float, float], end: tuple[float, float], ink: int, thickness: int, dash: int) -> None:
    first, last = np.array(start), np.array(end)
    length = float(np.linalg.norm(last - first))
    steps = [(0.0, length)] if not dash else [(at, min(at + dash, length)) for at in np.arange(0, length, 1.6 * dash)]
    for a, b in steps:
        p, q = (first + (last - first) * part / length for part in (a, b))
        cv2.line(page, (round(p[0]), round(p[1])), (round(q[0]), round(q[1])), ink, thickness)


def as_copied(page: Gray, *, seed: int, noise: float = 8.0, contrast: float = 0.6, skew: float = 0.0) -> Gray:
    """The page after a bad copier: pale, blurred, grainy, slightly turned."""
    height, width = page.shape
    turned = cv2.warpAffine(page, cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1), (width, height), borderValue=255)
    pale = 225 - contrast * (255 - cv2.GaussianBlur(turned, (3, 3), 0).astype(np.float32))
    grain = np.random.default_rng(seed).normal(0, noise, page.shape)
    return np.asarray(np.clip(pale + grain, 0, 255), np.uint8)


def as_faxed(page: Gray, *, seed: int, dropped: float = 0.35) -> Gray:
    """Black and white only, with part of the dark pixels lost and specks of dirt."""
    random = np.random.default_rng(seed)
    black = (page < 160) & (random.random(page.shape) > np.where(page > 40, dropped, 0.0))
    black |= random.random(page.shape) < 0.0004
    return np.asarray(np.where(black, 0, 255), np.uint8)
