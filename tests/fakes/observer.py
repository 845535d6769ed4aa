"""An observer that remembers what it heard."""

from __future__ import annotations

from ocr_service.domain.documents import PageResult


class RecordingObserver:
    """Implements `domain.ports.Observer`."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, int, str]] = []
        self.documents: list[tuple[str, str, int, int]] = []
        self.replaced: list[str] = []

    def page_finished(self, document_id: str, result: PageResult, seconds: float) -> None:
        assert seconds >= 0
        self.pages.append((document_id, result.page, result.status.value))

    def document_finished(self, document_id: str, outcome: str, pages_done: int, pages_asked: int, seconds: float) -> None:
        assert seconds >= 0
        self.documents.append((document_id, outcome, pages_done, pages_asked))

    def worker_replaced(self, reason: str) -> None:
        self.replaced.append(reason)
