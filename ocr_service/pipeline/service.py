"""The pipeline's door: takes documents in, and lets them finish when the service stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ocr_service.domain.documents import DocumentOptions, SourceFile
from ocr_service.domain.errors import ShuttingDown
from ocr_service.domain.ports import DocumentFolder, DocumentStore, Observer, PageRefiner, PageWorkers
from ocr_service.pipeline.admission import Admission
from ocr_service.pipeline.journey import Journey, Request
from ocr_service.pipeline.page_rate import PageRate
from ocr_service.pipeline.reading import Floor
from ocr_service.pipeline.turns import Room, Turns

RETRY_AFTER_S = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_refining_pages`: pages in memory that may wait for the VLM, beside those in workers; `document_timeout_s`: after the upload."""

    max_documents: int = 64
    max_queued_pages: int = 5000
    max_refining_pages: int = 8
    document_timeout_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Stats:
    """`documents` in the service, uploads included; `queued_pages` wait, `pages_in_flight` are in workers; `pages_per_s` at full load."""

    documents: int
    queued_pages: int
    pages_in_flight: int
    pages_per_s: float


@dataclass(frozen=True, slots=True)
class Parts:
    """The ports that documents go through."""

    workers: PageWorkers
    store: DocumentStore
    refiner: PageRefiner
    observer: Observer


class DocumentService:
    """Takes documents in, fairly and within limits."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        capacity = parts.workers.capacity
        rate = PageRate(capacity)
        rooms = {Room.WRITING: 2 * capacity + 2, Room.REFINING: capacity + limits.max_refining_pages}
        self._store = parts.store
        self._floor = Floor(parts.workers, parts.refiner, parts.observer, Turns(capacity, rooms), rate)
        self._limits = limits
        self._admission = Admission(limits.max_documents, limits.max_queued_pages, rate)
        self._journeys: set[Journey] = set()
        self._draining = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one document, from before its upload to the end of its answer. Raises Overloaded, ShuttingDown."""
        self._refuse_while_draining()
        with self._admission.place():
            yield

    async def start(
        self, source: SourceFile, options: DocumentOptions, *, document_id: str | None = None, folder: DocumentFolder | None = None
    ) -> Journey:
        """Take the upload into a folder, open it, and begin to read it. `document_id`: the folder's name; `folder`: one that was begun
        before, which is gone on with.

        Raises DocumentUnreadable and its children, InvalidRequest, Overloaded, ShuttingDown, DeadlineExceeded and StorageFailed; nothing of
        the document is left then. Whoever gets a Journey ends it: by `result()`, by closing `pages()`, or by `aclose()`.
        """
        self._refuse_while_draining()
        request = Request(source, options, self._limits.document_timeout_s, document_id, folder)
        journey = Journey(self._floor, self._store, self._admission, request)
        self._journeys.add(journey)
        journey.when_over(lambda: self._journeys.discard(journey))
        await journey.opened()
        return journey

    def retry_after_s(self, documents: int) -> int:
        """When one of so many waiting documents is likely to be done, in whole seconds."""
        return self._floor.rate.retry_after_s(self._admission.queued_pages // max(1, documents) + 1)

    async def drain(self, grace_s: float) -> None:
        """Take no more documents, let those in flight finish for `grace_s` seconds, then stop them."""
        self._draining = True
        log.info("Draining", extra={"documents": len(self._journeys), "grace_s": grace_s})
        try:
            async with asyncio.timeout(grace_s):
                await self._all_over()
        except TimeoutError:
            log.warning("Documents are cut off", extra={"documents": len(self._journeys)})
        for journey in tuple(self._journeys):
            journey.stop(_stopping())
        await self._all_over()

    def stats(self) -> Stats:
        """The pipeline as it is now."""
        return Stats(
            documents=self._admission.documents,
            queued_pages=self._admission.queued_pages,
            pages_in_flight=self._floor.turns.in_flight,
            pages_per_s=self._floor.rate.pages_per_s,
        )

    async def _all_over(self) -> None:
        while self._journeys:
            await asyncio.gather(*(journey.over() for journey in tuple(self._journeys)))

    def _refuse_while_draining(self) -> None:
        if self._draining:
            raise _stopping()


def _stopping() -> ShuttingDown:
    return ShuttingDown("The service is stopping. Try again in a moment.", retry_after_s=RETRY_AFTER_S)
