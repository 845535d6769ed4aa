"""What is sent: documents with a mark on every page, and hostile files. The same seed makes the same row of documents."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pymupdf

from tests.chaos.marks import Mark
from tests.e2e.test_hostile_files import COMMITTED_CASES, Case

SENTENCE = "The supplier delivers the goods to the warehouse in Moscow."
_RUSSIAN = "Поставщик обязуется передать товар до 15 марта 2024 года."
_SCAN_DPI = 200


class Kind(StrEnum):
    """Of a document."""

    DIGITAL = "born-digital"
    SCAN = "scan"
    RUSSIAN_SCAN = "Russian scan"
    LONG = "long"
    HOSTILE = "hostile"


@dataclass(frozen=True)
class Sample:
    """A document. `number`: its own, in its marks; `case`: of a hostile file, whose pages carry none."""

    kind: Kind
    number: int
    pages: int
    content: bytes = field(repr=False)
    form: Mapping[str, str]
    case: Case | None = None

    @property
    def name(self) -> str:
        return self.case.upload_name if self.case is not None else f"document-{self.number}.pdf"


class Press:
    """Makes documents; for several threads."""

    def __init__(self, *, long_pages: int, first: int = 1) -> None:
        self._long_pages = long_pages
        self._numbers = itertools.count(first)
        # MuPDF is not for several threads at the same time.
        self._lock = threading.Lock()

    def next(self, chance: random.Random) -> Sample:
        """One of the mixed load."""
        [kind] = chance.choices([Kind.DIGITAL, Kind.SCAN, Kind.RUSSIAN_SCAN, Kind.HOSTILE], [6, 3, 1, 1])
        if kind is Kind.HOSTILE:
            return self.hostile(chance)
        return self.make(kind, chance.randint(1, 6) if kind is Kind.DIGITAL else chance.randint(1, 2))

    def long(self) -> Sample:
        return self.make(Kind.LONG, self._long_pages)

    def make(self, kind: Kind, pages: int) -> Sample:
        with self._lock:
            number = next(self._numbers)
            if kind in {Kind.DIGITAL, Kind.LONG}:
                drawn = _digital(number, pages)
            else:
                drawn = _scanned(number, pages, russian=kind is Kind.RUSSIAN_SCAN)
        form = {"lang": "ru" if kind is Kind.RUSSIAN_SCAN else "en", "vlm_policy": "all" if kind is Kind.SCAN else "auto"}
        return Sample(kind, number, pages, drawn, form)

    def hostile(self, chance: random.Random) -> Sample:
        case = chance.choice(COMMITTED_CASES)
        with self._lock:
            number = next(self._numbers)
        return Sample(Kind.HOSTILE, number, case.pages, case.path.read_bytes(), {"text_layer": "auto"}, case)


def _digital(number: int, pages: int) -> bytes:
    document = pymupdf.open()
    for page in range(1, pages + 1):
        _write(document.new_page(width=595, height=842), Mark(number, page), russian=page % 2 == 0)
    content: bytes = document.tobytes(garbage=3, deflate=True)
    return content


def _scanned(number: int, pages: int, *, russian: bool) -> bytes:
    """Small sheets, so that reading them leaves time for the other documents."""
    document = pymupdf.open()
    for page in range(1, pages + 1):
        drawn = pymupdf.open()
        sheet = drawn.new_page(width=420, height=298)
        _write(sheet, Mark(number, page), russian=russian)
        picture = sheet.get_pixmap(dpi=_SCAN_DPI, colorspace=pymupdf.csGRAY).tobytes("png")
        document.new_page(width=420, height=298).insert_image(pymupdf.Rect(0, 0, 420, 298), stream=picture)
    content: bytes = document.tobytes(garbage=3, deflate=True)
    return content


def _write(page: pymupdf.Page, mark: Mark, *, russian: bool) -> None:
    width = page.rect.width
    page.insert_textbox((40, 40, width - 40, 90), str(mark), fontsize=24)
    if russian:
        page.insert_htmlbox(pymupdf.Rect(40, 110, width - 40, 190), f"<p>{_RUSSIAN}</p>", css="* {font-size: 15px}")
    page.insert_textbox((40, 200, width - 40, 280), SENTENCE, fontsize=15)
