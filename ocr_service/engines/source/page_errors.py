"""What a library raises about one page, as the domain's word for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ocr_service.domain.errors import PageFailed, PageOutOfMemory


@contextmanager
def page_errors(page: str) -> Iterator[None]:
    """`page`: e.g. "Page 3 of the PDF". MuPDF's and Pillow's exceptions have no common base, and broken files raise nearly anything."""
    try:
        yield
    except PageFailed:
        raise
    except MemoryError:
        raise PageOutOfMemory(f"{page} needs more memory than a page may use.") from None
    except Exception as error:
        raise PageFailed(f"{page} is damaged and could not be read.") from error
