"""A PDF as a source of pages, through MuPDF."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

import numpy as np
import pymupdf

from ocr_service.domain.documents import DocumentInfo, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, PageFailed, PasswordRequired
from ocr_service.engines.page.page_size import Image, Limits, PageSize
from ocr_service.engines.source.page_errors import page_errors

# MuPDF writes each fault of a broken file to stderr, megabytes for some files; what matters comes as an exception.
pymupdf.TOOLS.mupdf_display_errors(on=False)
pymupdf.TOOLS.mupdf_display_warnings(on=False)

_HEADER = b"%PDF-"
_HEADER_WITHIN = 1024


class PdfPage:
    """A page of a PDF; a SourcePage."""

    is_picture = False
    warnings: tuple[str, ...] = ()

    def __init__(self, size: PageSize, page: pymupdf.Page) -> None:
        self.size = size
        self.page = page

    @cached_property
    def image_dpi(self) -> float | None:
        with page_errors(f"Page {self.size.number} of the PDF"):
            images = self.page.get_image_info()
        # MuPDF tells where pictures lie before the page's /Rotate is applied.
        visible = self.page.rect * self.page.derotation_matrix
        best_area, best_dpi = 0.0, None
        for image in images:
            matrix = pymupdf.Matrix(image["transform"])
            # A turned picture has its width along the matrix's first row, whatever its box says.
            width_pt, height_pt = abs(pymupdf.Point(matrix.a, matrix.b)), abs(pymupdf.Point(matrix.c, matrix.d))
            area = abs(pymupdf.Rect(image["bbox"]) & visible)
            if area > best_area and width_pt > 0 and height_pt > 0:
                best_area, best_dpi = area, min(image["width"] / width_pt, image["height"] / height_pt) * 72
        return best_dpi

    def render(self, dpi: int) -> Image:
        return self._pixels(dpi, pymupdf.csRGB)

    def render_gray(self, dpi: int) -> Image:
        return self._pixels(dpi, pymupdf.csGRAY)[:, :, 0]

    def _pixels(self, dpi: int, colorspace: pymupdf.Colorspace) -> Image:
        self.size.check(dpi)
        with page_errors(f"Page {self.size.number} of the PDF"):
            scale = dpi / 72
            pixmap = self.page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=colorspace, alpha=False)
            rows = np.frombuffer(pixmap.samples_mv, dtype=np.uint8).reshape(pixmap.height, pixmap.stride)
            # A copy, because the pixmap's memory goes when the pixmap does.
            return rows[:, : pixmap.width * pixmap.n].reshape(pixmap.height, pixmap.width, pixmap.n).copy()


class PdfSource:
    """An open PDF; an OpenSource."""

    def __init__(self, source: SourceFile, limits: Limits) -> None:
        """Raises DocumentUnreadable, PasswordRequired, TooManyPages."""
        self._limits = limits
        self._document = _open(source)
        try:
            _unlock(self._document, source.password)
            self._page_count = _count_pages(self._document, limits)
        except DocumentUnreadable:
            self._document.close()
            raise

    def info(self) -> DocumentInfo:
        repaired = ("The PDF is damaged and was repaired for reading; check that nothing is missing.",)
        return DocumentInfo(self._page_count, repaired if self._document.is_repaired else ())

    def page(self, number: int) -> PdfPage:
        if not 1 <= number <= self._page_count:
            raise PageFailed(f"There is no page {number}: the document has {self._page_count}.")
        with page_errors(f"Page {number} of the PDF"):
            page = self._document[number - 1]
            return PdfPage(PageSize(number, page.rect.width, page.rect.height, self._limits), page)

    def close(self) -> None:
        self._document.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _open(source: SourceFile) -> pymupdf.Document:
    unreadable = DocumentUnreadable("The file is not a readable PDF: it is empty, cut off or damaged.")
    with source.path.open("rb") as file:
        if _HEADER not in file.read(_HEADER_WITHIN):
            raise unreadable
    try:
        # The file type is only a hint to MuPDF: it still opens HTML, SVG or pictures by their content, hence is_pdf.
        document = pymupdf.open(source.path, filetype="pdf")
    except MemoryError:
        raise DocumentUnreadable("Opening the PDF needs more memory than a file may use.") from None
    except Exception as error:
        raise unreadable from error
    if not document.is_pdf:
        document.close()
        raise unreadable
    return document


def _unlock(document: pymupdf.Document, password: str | None) -> None:
    """A PDF with an owner password alone opens as it is: anyone may read it."""
    if not document.needs_pass:
        return
    if not password:
        raise PasswordRequired("The PDF is encrypted. Send its password in the form field `password`.")
    if not document.authenticate(password):
        raise PasswordRequired("The password in the form field `password` does not open this PDF.")


def _count_pages(document: pymupdf.Document, limits: Limits) -> int:
    try:
        count = int(document.page_count)
    except Exception as error:
        raise DocumentUnreadable("The PDF is damaged: its list of pages cannot be read.") from error
    if count < 1:
        raise DocumentUnreadable("The PDF has no pages.")
    if count > limits.max_pages:
        raise limits.too_many_pages(str(count))
    return count
