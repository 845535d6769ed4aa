"""Which pages of a document are read."""

from __future__ import annotations

from collections.abc import Sequence

from ocr_service.domain.documents import DocumentInfo
from ocr_service.domain.errors import DocumentUnreadable, InvalidRequest


def asked_pages(info: DocumentInfo, selection: tuple[int, ...] | None) -> Sequence[int]:
    """The pages in ascending order, each once. Raises DocumentUnreadable if there are none, InvalidRequest for one that does not exist."""
    if info.page_count < 1:
        raise DocumentUnreadable("The document has no pages.")
    if selection is None:
        return range(1, info.page_count + 1)
    pages = sorted(set(selection))
    if not pages:
        raise InvalidRequest("No page is selected.", field="pages")
    wrong = next((page for page in pages if not 1 <= page <= info.page_count), None)
    if wrong is not None:
        has = "1 page" if info.page_count == 1 else f"{info.page_count} pages"
        raise InvalidRequest(f"There is no page {wrong}: the document has {has}.", field="pages")
    return tuple(pages)
