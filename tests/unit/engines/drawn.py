"""Lines of text drawn on paper, and where their words stand: for the tests of what reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pymupdf
from numpy.typing import NDArray

from ocr_service.engines.ocr.line_crop import LinePicture

Gray = NDArray[np.uint8]
DPI = 200


@dataclass(frozen=True)
class Drawn:
    """A grey page, and the columns of its words in pixels."""

    page: Gray
    words: dict[str, tuple[float, float]]

    @property
    def line(self) -> LinePicture:
        """The page as the picture of one line."""
        return LinePicture(self.page, 0.0, 0.0)


def draw(text: str, *, font: str = "helv", size: float = 11) -> Drawn:
    """A strip of paper with one line of text, cut as closely as a detector cuts it."""
    shape = pymupdf.Font(font)
    page = pymupdf.open().new_page(width=shape.text_length(text, size) + 8, height=1.5 * size)
    writer = pymupdf.TextWriter(page.rect)
    writer.append((4, 1.1 * size), text, font=shape, fontsize=size)
    writer.write_text(page)
    words = {word[4]: (word[0] * DPI / 72, word[2] * DPI / 72) for word in page.get_text("words")}
    return Drawn(gray(page), words)


def gray(page: pymupdf.Page, dpi: int = DPI) -> Gray:
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()
