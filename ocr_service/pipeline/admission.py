"""What is let in: so many documents, and so many pages that wait. Those who are not are told when to come again, each at another time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ocr_service.domain.errors import Overloaded
from ocr_service.pipeline.page_rate import PageRate, whole_seconds

# One who comes again and again without waiting must not send the others away for long.
_LONGEST_LINE_S = 60.0


class Ticket:
    """The admitted pages of one document that still wait."""

    def __init__(self, admission: Admission, pages: int) -> None:
        self._admission = admission
        self._pages = pages

    def page_begins(self) -> None:
        """One page less waits."""
        self._give_back(1)

    def close(self) -> None:
        """No page of the document waits any more. May be called again."""
        self._give_back(self._pages)

    def _give_back(self, pages: int) -> None:
        self._pages -= pages
        self._admission.queued_pages -= pages


class Admission:
    """Counts documents in the service and pages in the queue."""

    def __init__(self, max_documents: int, max_queued_pages: int, rate: PageRate, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_documents = max_documents
        self._max_queued_pages = max_queued_pages
        self._rate = rate
        self._clock = clock
        self._told_until = 0.0
        self.documents = 0
        self.queued_pages = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A document's place, from before its upload to the end of its answer. Raises Overloaded."""
        if self.documents >= self._max_documents:
            detail = f"The service already works on {self.documents} documents. Try again later."
            raise Overloaded(detail, retry_after_s=self._next_place_s())
        self.documents += 1
        try:
            yield
        finally:
            self.documents -= 1

    def admit(self, pages: int) -> Ticket:
        """Let a document's pages wait, if they fit or if nothing else waits. Raises Overloaded."""
        too_many = self.queued_pages + pages - self._max_queued_pages
        if too_many > 0 and self.queued_pages > 0:
            retry_after_s = self._rate.retry_after_s(min(too_many, self.queued_pages))
            raise Overloaded(
                f"{self.queued_pages} pages are waiting already; {pages} more do not fit. Try again later.", retry_after_s=retry_after_s
            )
        self.queued_pages += pages
        return Ticket(self, pages)

    def _next_place_s(self) -> int:
        """Whole seconds until a place will be free that nobody was told of yet. Were all told the same, they would come at the same time
        and be refused again, and refusing them would take the time that pages need.
        """
        # A place is free when one of the documents is over: an average share of what waits.
        share_s = self._rate.seconds(self.queued_pages // self._max_documents + 1)
        longest_s = max(share_s, min(self._max_documents * share_s, _LONGEST_LINE_S))
        now = self._clock()
        self._told_until = min(max(self._told_until, now) + share_s, now + longest_s)
        return whole_seconds(self._told_until - now)
