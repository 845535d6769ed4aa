"""Pages as the adapter meets them: what is drawn, and what the stub models say about it. The drawing needs PyMuPDF alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymupdf
from numpy.typing import NDArray

from tests.paddle.script import LABELS, Box, Script

DPI = 144
WIDTH, HEIGHT = 595, 842
Place = tuple[float, float, float, float]

PARAGRAPH = [
    "The first paragraph of this page was written to be read by a machine.",
    "It has three lines, and every line ends where the next one starts.",
    "Nothing in it is true, but all of it is spelled correctly.",
]
TABLE = [["Name", "Weight", "Price"], ["Apple", "120", "3.50"], ["Melon", "900", "7.25"]]
TITLE_AT: Place = (0.12, 0.06, 0.88, 0.11)
TEXT_AT: Place = (0.12, 0.13, 0.88, 0.23)
TABLE_AT: Place = (0.12, 0.40, 0.88, 0.60)
IMAGE_AT: Place = (0.12, 0.65, 0.45, 0.80)
NUMBER_AT: Place = (0.45, 0.94, 0.55, 0.97)
# Two out of three columns of the table, so that it counts as the same region less than half.
PART_OF_TABLE_AT: Place = (0.12, 0.40, 0.12 + 0.76 / 3, 0.60)
SEAL_AT: Place = (0.13, 0.14, 0.30, 0.22)
ASPECT = 0.76 * WIDTH / (0.2 * HEIGHT)


@dataclass(frozen=True)
class Case:
    """A named page. `turned`: how far clockwise the paper lies on the scanner."""

    name: str
    script: Script
    draw: Callable[[pymupdf.Page], None]
    turned: int = 0

    def pdf(self) -> bytes:
        with pymupdf.open() as document:
            self.draw(document.new_page(width=WIDTH, height=HEIGHT))
            return bytes(document.tobytes())

    def rgb(self, dpi: int = DPI) -> NDArray[np.uint8]:
        """The page's picture as it comes from the scanner, height × width × 3."""
        with pymupdf.open("pdf", self.pdf()) as document:
            pixmap = document[0].get_pixmap(dpi=dpi, alpha=False)
            upright = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3).copy()
        return np.ascontiguousarray(np.rot90(upright, -self.turned // 90))

    def gray(self, dpi: int = DPI) -> NDArray[np.uint8]:
        """The upright page in grey."""
        with pymupdf.open("pdf", self.pdf()) as document:
            pixmap = document[0].get_pixmap(dpi=dpi, alpha=False, colorspace=pymupdf.csGRAY)
            return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def _points(place: Place) -> tuple[float, float, float, float]:
    return place[0] * WIDTH, place[1] * HEIGHT, place[2] * WIDTH, place[3] * HEIGHT


def _title(page: pymupdf.Page) -> None:
    x0, y0, _, _ = _points(TITLE_AT)
    page.insert_text((x0 + 6, y0 + 29), "A Report on Small Things", fontsize=22)


def _paragraph(page: pymupdf.Page, lines: list[str] = PARAGRAPH) -> None:
    x0, y0, _, _ = _points(TEXT_AT)
    for index, line in enumerate(lines):
        page.insert_text((x0 + 6, y0 + 17 + index * 22), line, fontsize=13)


def _table(page: pymupdf.Page, rows: list[list[str]]) -> None:
    x0, y0, x1, y1 = _points(TABLE_AT)
    height = (y1 - y0) / len(rows)
    for row, texts in enumerate(rows):
        width = (x1 - x0) / len(texts)
        for column, text in enumerate(texts):
            left, top = x0 + column * width, y0 + row * height
            page.draw_rect(pymupdf.Rect(left, top, left + width, top + height))
            page.insert_text((left + 0.1 * width, top + 0.6 * height), text, fontsize=14)


def _picture(page: pymupdf.Page) -> None:
    x0, y0, x1, y1 = _points(IMAGE_AT)
    page.draw_rect(pymupdf.Rect(x0 + 2, y0 + 2, x1 - 2, y1 - 2), fill=(0.2, 0.5, 0.8))
    page.draw_circle(pymupdf.Point((x0 + x1) / 2, (y0 + y1) / 2), 30, fill=(0.9, 0.8, 0.2))


def _number(page: pymupdf.Page) -> None:
    x0, y0, x1, _ = _points(NUMBER_AT)
    page.insert_text(((x0 + x1) / 2 - 3, y0 + 17), "7", fontsize=13)


def _report(page: pymupdf.Page) -> None:
    _title(page)
    _paragraph(page)
    _table(page, [["Fruit of this season and what it costs"], *TABLE[1:]])
    _picture(page)
    _number(page)


def _lone_line(page: pymupdf.Page) -> None:
    """Text between paragraph and table that no scripted region holds."""
    page.insert_text((0.14 * WIDTH, 0.30 * HEIGHT), "This line is in no region at all.", fontsize=13)


def _stamped(page: pymupdf.Page) -> None:
    _paragraph(page)
    _lone_line(page)
    x0, y0, x1, y1 = _points(SEAL_AT)
    page.draw_oval(pymupdf.Rect(x0, y0, x1, y1), color=(0.3, 0.3, 0.9))


def _plain_table(page: pymupdf.Page) -> None:
    _table(page, TABLE)


def _notes(page: pymupdf.Page) -> None:
    _paragraph(page, PARAGRAPH[:1])
    _table(page, TABLE)
    _picture(page)


TITLE: Box = ("doc_title", 0.95, *TITLE_AT)
TEXT: Box = ("text", 0.93, *TEXT_AT)
WHOLE_TABLE: Box = ("table", 0.96, *TABLE_AT)
IMAGE: Box = ("image", 0.90, *IMAGE_AT)
NUMBER: Box = ("number", 0.85, *NUMBER_AT)
REPORT = Script((TITLE, TEXT, WHOLE_TABLE, IMAGE, NUMBER), table=((3,), (1, 1, 1), (1, 1, 1)), aspect=ASPECT)

CASES = {
    case.name: case
    for case in (
        Case("report", REPORT, _report),
        Case("turned", Script(REPORT.layout, table=REPORT.table, aspect=ASPECT, orientation="90"), _report, turned=90),
        # The seal lies on the text: upstream drops the smaller of two that overlap.
        Case("stamped", Script((TEXT, ("seal", 0.8, *SEAL_AT))), _stamped),
        # A surer, smaller table inside the table: upstream drops it, and gives its cells to the table that stays.
        Case("nested_tables", Script((("table", 0.97, *PART_OF_TABLE_AT), ("table", 0.90, *TABLE_AT)), aspect=ASPECT), _plain_table),
        # The model finds two rows of three: what stands in the third has no cell of its own.
        Case("missing_row", Script((WHOLE_TABLE,), table=((1, 1, 1), (1, 1, 1)), aspect=ASPECT), _plain_table),
        Case("wireless", Script((WHOLE_TABLE,), aspect=ASPECT, table_kind="wireless_table"), _plain_table),
        # Labels of a model to come.
        Case(
            "unknown_labels",
            Script(
                (("sidebar_note", 0.9, *TEXT_AT), ("big_table", 0.9, *TABLE_AT), ("photo", 0.9, *IMAGE_AT)),
                labels=("sidebar_note", "big_table", "photo", *LABELS[3:]),
            ),
            _notes,
        ),
        Case("blank", REPORT, lambda _page: None),
        Case("no_layout", Script((("text", 0.9, 0.1, 0.9, 0.2, 0.95),)), _paragraph),
    )
}
