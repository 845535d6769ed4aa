"""Pictures to warm up with, drawn on the spot: one for each task of the VLM, a large one, and a page for the engine."""

from __future__ import annotations

from dataclasses import dataclass

import pymupdf

NUMBER = "48213"
"""In every sample with text; an answer without it was not read from the picture."""

SENTENCE = f"Договор поставки № {NUMBER} заключён в городе Тверь."
_TABLE = f"<table><tr><td>Наименование</td><td>Цена</td></tr><tr><td>Кирпич</td><td>{NUMBER}</td></tr></table>"
_CSS = "* {font-size: 18px; font-family: sans-serif} td {border: 1px solid black; padding: 4px}"
_BODIES = {
    "ocr": f"<p>{SENTENCE}</p>",
    "table": _TABLE,
    "formula": "<p><i>a</i> + <i>b</i> = <i>c</i></p>",
    "chart": f"<p>2023 ████ {NUMBER}</p><p>2024 ███████ 51000</p>",
    "seal": "<p>ООО «Заря»</p>",
}
TASKS = tuple(_BODIES)


@dataclass(frozen=True, slots=True)
class Sample:
    """A PNG for a task; `must_have`: text that a sane answer contains, empty where none can be foretold."""

    task: str
    png: bytes
    must_have: str = ""


def sample(task: str) -> Sample:
    return Sample(task, _png(_BODIES[task], width=480, height=160), NUMBER if task in {"ocr", "table"} else "")


def large_sample() -> Sample:
    """More pixels than the model takes: 2400 × 1600."""
    return Sample("ocr", _png("".join(f"<p>{SENTENCE}</p>" for _ in range(12)), width=1200, height=800, scale=2.0))


def page_pdf() -> bytes:
    """A page without a text layer: it has to be OCRed."""
    with pymupdf.open() as document:
        document.new_page(width=595, height=300).insert_image(
            pymupdf.Rect(0, 0, 595, 300), stream=_png(_BODIES["ocr"] + _TABLE, 595, 300, 2.5)
        )
        pdf: bytes = document.tobytes()
        return pdf


def _png(body: str, width: int, height: int, scale: float = 1.0) -> bytes:
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        page.insert_htmlbox(pymupdf.Rect(20, 20, width - 20, height - 10), body, css=_CSS)
        png: bytes = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale)).tobytes("png")
        return png
