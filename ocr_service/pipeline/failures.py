"""What went wrong with a document's pages, and what that means for the document. Keeps one sentence for each kind of failure."""

from __future__ import annotations

from collections import Counter

from ocr_service.domain.documents import PageError
from ocr_service.domain.errors import DeadlineExceeded, DocumentUnreadable, EngineUnavailable, ServiceError

RETRY_AFTER_S = 30


class Failures:
    """The failed pages of one document."""

    def __init__(self) -> None:
        self.pages: list[int] = []
        self._count: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def add(self, page: int, error: PageError) -> None:
        """Take note of one."""
        self.pages.append(page)
        self._count[error.code] += 1
        self._example.setdefault(error.code, error.detail)

    def when_nothing_was_read(self) -> ServiceError:
        """The document's error, if every page is among the failed ones: the service's fault and time's before the file's."""
        if EngineUnavailable.code in self._count:
            return EngineUnavailable("No page worker was running. Try again later.", retry_after_s=RETRY_AFTER_S)
        if DeadlineExceeded.code in self._count:
            return DeadlineExceeded(f"The time for the document was over before one of its {_pages(len(self.pages))} was read.")
        reasons = " ".join(f"{self._example[code]} ({code}, {_pages(count)})" for code, count in self._count.most_common())
        none = "The page could not be read." if len(self.pages) == 1 else f"None of the {len(self.pages)} pages could be read."
        return DocumentUnreadable(f"{none} {reasons}")


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
