"""Opening an upload: a PDF or a picture becomes pages that can be looked at. Runs in page workers only; every file is hostile.

`open_source` gives an `OpenSource`; `OpenSource.page(n)` a `SourcePage`. What goes wrong is a DocumentUnreadable (the file) or a
PageFailed (one page) with a sentence for the client; MuPDF's and Pillow's own errors never leave these modules.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import pymupdf

from ocr_service.domain.documents import DocumentInfo, MediaType, SourceFile
from ocr_service.engines.page.page_size import Image, Limits, PageSize, Resolution
from ocr_service.engines.source.image_source import ImageSource
from ocr_service.engines.source.pdf_source import PdfSource

__all__ = ["Image", "Limits", "OpenSource", "PageSize", "Resolution", "SourcePage", "open_source"]


class SourcePage(Protocol):
    """One page as a viewer shows it: its /Rotate or EXIF turn is applied."""

    @property
    def size(self) -> PageSize:
        """Its number, its sides in points, and `resolution(dpi)`, to be asked for the dpi before rendering."""

    @property
    def page(self) -> pymupdf.Page:
        """The page for MuPDF; for a picture, a page of the same size that shows it. Changes stay in memory."""

    @property
    def is_picture(self) -> bool:
        """Whether the file is a picture: there is no text layer to ask for."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client should know about how this page was opened; complete once it was rendered."""

    @property
    def image_dpi(self) -> float | None:
        """Native resolution of the page's largest picture, None without one. A hint: more dpi than that show no more detail."""

    def render(self, dpi: int) -> Image:
        """The page as RGB, height × width × 3. Raises PageFailed, PageTooLarge."""

    def render_gray(self, dpi: int) -> Image:
        """The page in grey, height × width. Raises PageFailed, PageTooLarge."""


class OpenSource(Protocol):
    """An open file. Use it as a context manager; use no page after it is closed, nor after the next one was asked for."""

    def info(self) -> DocumentInfo:
        """How many pages (at least 1), and what the client should know about the file as a whole."""

    def page(self, number: int) -> SourcePage:
        """Page `number` (from 1). Raises PageFailed, PageTooLarge."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_source(source: SourceFile, *, max_pages: int, max_megapixels: float) -> OpenSource:
    """Open the file as what its media type says. Raises DocumentUnreadable, PasswordRequired, TooManyPages."""
    limits = Limits(max_pages, max_megapixels)
    if source.media_type is MediaType.PDF:
        return PdfSource(source, limits)
    return ImageSource(source, limits)
