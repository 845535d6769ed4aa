"""Small documents made on the spot, so that their text is known exactly."""

from __future__ import annotations

import pymupdf

HEADING = "Договор поставки"
SENTENCE = "Поставщик обязуется передать товар до 15 марта 2024 года, цена 12 500 рублей."
ENGLISH = "The supplier delivers the goods to the warehouse in Moscow."
_PAGE = f"<h1>{HEADING}</h1><p>{SENTENCE}</p><p>{ENGLISH}</p>"


def born_digital(pages: int = 1, password: str | None = None) -> bytes:
    """A PDF with a text layer: a heading and two paragraphs a page."""
    document = pymupdf.open()
    for number in range(1, pages + 1):
        page = document.new_page(width=595, height=842)
        page.insert_htmlbox(pymupdf.Rect(60, 60, 535, 700), f"{_PAGE}<p>Страница номер {number}</p>", css="* {font-size: 14px}")
    if password is None:
        content: bytes = document.tobytes()
        return content
    encrypted: bytes = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw=password)
    return encrypted


def scan(dpi: int = 200) -> bytes:
    """The same page as a picture: a PNG."""
    with pymupdf.open(stream=born_digital()) as document:
        picture: bytes = document[0].get_pixmap(dpi=dpi).tobytes("png")
        return picture


def scanned_pdf() -> bytes:
    """The picture as the only thing on a PDF's page."""
    document = pymupdf.open()
    document.new_page(width=595, height=842).insert_image(pymupdf.Rect(0, 0, 595, 842), stream=scan())
    content: bytes = document.tobytes()
    return content


def text_of(pdf: bytes) -> str:
    """What can be found in a PDF."""
    with pymupdf.open(stream=pdf) as document:
        return "\n".join(page.get_text() for page in document)
