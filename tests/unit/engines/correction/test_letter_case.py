from __future__ import annotations

import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.correction.letter_case import with_true_case
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word

DPI, SIZE = 200, 11
# What is printed, one cell a column, one row a line.
Rows = list[tuple[str, ...]]


def printed(rows: Rows) -> tuple[NDArray[np.uint8], list[list[BBox]]]:
    """The page, and where each cell's text stands on it."""
    font = pymupdf.Font("helv")
    with pymupdf.open() as document:
        page = document.new_page(width=420, height=60 + 24 * len(rows))
        writer = pymupdf.TextWriter(page.rect)
        boxes: list[list[BBox]] = []
        for number, row in enumerate(rows):
            y = 40 + 24 * number
            boxes.append([])
            for column, text in enumerate(row):
                x = 30 + 130 * column
                writer.append((x, y), text, font=font, fontsize=SIZE)
                right = x + font.text_length(text, SIZE)
                boxes[-1].append(BBox(*(value * DPI / 72 for value in (x - 1, y - 10, right + 1, y + 4))))
        writer.write_text(page)
        pixmap = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy(), boxes


def read_as(rows: Rows, read: dict[str, str]) -> list[str]:
    """The cells' texts after they were read so: each cell a line, words evenly within it."""
    gray, boxes = printed(rows)
    lines = []
    for row, row_boxes in zip(rows, boxes, strict=True):
        for text, box in zip(row, row_boxes, strict=True):
            words, at = [], box.x0
            for word in text.split():
                width = box.width * (len(word) + 1) / (len(text) + 1)
                words.append(Word(BBox(at, box.y0, at + width, box.y1), read.get(word, word), 0.9))
                at += width
            lines.append(PageLine(box, tuple(words), SIZE, confidence=0.9))
    return [line.text for line in with_true_case(lines, gray)]


TABLE: Rows = [
    ("Кабель силовой", "кг", "1250"),
    ("Лампа белая", "НДС", "48"),
    ("Щит учётный", "м", "206"),
    ("Срок поставки", "дн.", "30"),
]


@pytest.mark.parametrize(("printed_word", "misread"), [("кг", "КГ"), ("НДС", "ндс"), ("м", "М")])
def test_a_word_alone_in_its_cell_gets_the_case_that_its_height_tells(printed_word: str, misread: str) -> None:
    assert read_as(TABLE, {printed_word: misread}) == [text for row in TABLE for text in row]


def test_what_was_read_right_stays() -> None:
    assert read_as(TABLE, {}) == [text for row in TABLE for text in row]


def test_a_letter_by_itself_is_never_made_a_capital() -> None:
    """It may have grown together with a raised figure: «м²»."""
    rows: Rows = [("Площадь пола", "М", "1250"), ("Лампа белая", "шт", "48")]
    assert read_as(rows, {"М": "м"})[1] == "м"


def test_short_words_of_a_sentence_keep_the_case_that_their_neighbours_told() -> None:
    rows: Rows = [("Оплата до поставки и осмотра",), ("Склад работает ежедневно",)]
    assert read_as(rows, {"до": "ДО"})[0] == "Оплата ДО поставки и осмотра"


def test_without_anything_to_compare_with_nothing_is_changed() -> None:
    assert read_as([("кг",)], {"кг": "КГ"}) == ["КГ"]
