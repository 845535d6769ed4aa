"""Reads the pages of one document: takes turns with the others, refines, writes, and hands on the number of each page that is on disk.

Every page ends on disk exactly once, read or failed. Nothing of a page stays in memory but its number, and the bytes of one that a
reader is waiting for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ocr_service.domain.documents import DocumentOptions, PageAnalysis, PageError, PageResult, SourceFile
from ocr_service.domain.errors import DeadlineExceeded, PageFailed, ServiceError, StorageFailed
from ocr_service.domain.ports import DocumentFolder, Observer, PageRefiner, PageWorkers
from ocr_service.pipeline.admission import Ticket
from ocr_service.pipeline.cancellation import to_the_end
from ocr_service.pipeline.failures import Failures
from ocr_service.pipeline.page_rate import PageRate
from ocr_service.pipeline.progress import Progress
from ocr_service.pipeline.shortfall import Shortfall, refinements
from ocr_service.pipeline.turns import Room, Turn, Turns

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Floor:
    """What all documents share."""

    workers: PageWorkers
    refiner: PageRefiner
    observer: Observer
    turns: Turns
    rate: PageRate


@dataclass(frozen=True, slots=True)
class Finished:
    """A page that is on disk. `body`: its JSON, only if nobody had to wait for it in line; `error` if it failed."""

    page: int
    attempts: int
    error: PageError | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that an earlier start of the document finished; `asked`: its blocks for the VLM, `unrefined`: those without an answer."""

    page: int
    attempts: int
    error: PageError | None
    asked: int = 0
    unrefined: int = 0

    @classmethod
    def of(cls, result: PageResult) -> Self:
        asked, unrefined = refinements(result)
        return cls(result.page, result.attempts, result.error, asked, unrefined)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which pages of what are to be read; `kept` of them need not be."""

    folder: DocumentFolder
    source: SourceFile
    options: DocumentOptions
    pages: Sequence[int]
    ticket: Ticket
    kept: tuple[KeptPage, ...] = ()


class Reading:
    """One document's pages on their way to the disk. `finished` ends with None, whatever happens."""

    def __init__(self, floor: Floor, assignment: Assignment) -> None:
        self._floor = floor
        self._assignment = assignment
        self._room = Room.REFINING if assignment.options.use_vlm else Room.WRITING
        self._progress = Progress(assignment.folder.document_id, len(assignment.pages))
        self._storage_failure: StorageFailed | None = None
        self.finished: asyncio.Queue[Finished | None] = asyncio.Queue()
        self.failures = Failures()
        self.shortfall = Shortfall()
        self.remaining = set(assignment.pages)
        for kept in assignment.kept:
            self._take_over(kept)
        # Entered at once: the document keeps the place in line that it had when its file was opened.
        self._next_turn: Turn | None = floor.turns.enter(self, self._room)

    @property
    def pages_done(self) -> int:
        return self._progress.done

    @property
    def pages_asked(self) -> int:
        return len(self._assignment.pages)

    async def run(self, deadline: float) -> None:
        """Read until all pages are on disk; those that the deadline (loop time) overtakes are written as failed. Raises StorageFailed."""
        try:
            await self._read_until(deadline)
            await self._fail_the_rest()
        finally:
            self.finished.put_nowait(None)

    def over(self, outcome: str) -> None:
        """The document is over: leave the line, and write the last line of the log."""
        if self._next_turn is not None:
            self._next_turn.close()
        self._floor.turns.forget(self)
        self._assignment.ticket.close()
        self._progress.over(outcome)

    async def _read_until(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
                for page in sorted(self.remaining):
                    self._begin(group, page, await self._take_turn())
        except TimeoutError:
            return
        except ExceptionGroup as group_error:
            # The API knows the bare errors only.
            raise self._storage_failure or group_error.exceptions[0] from None

    def _take_over(self, kept: KeptPage) -> None:
        self.remaining.discard(kept.page)
        if kept.error is not None:
            self.failures.add(kept.page, kept.error)
        self.shortfall.count(kept.page, kept.asked, kept.unrefined)
        self._progress.page_kept()
        self.finished.put_nowait(Finished(kept.page, kept.attempts, kept.error, None))

    def _begin(self, group: asyncio.TaskGroup, page: int, turn: Turn) -> None:
        try:
            task = group.create_task(self._page(page, turn))
        except BaseException:
            turn.close()
            raise
        # A task that is cancelled before its first step runs no `finally` of its own; its callback is called in any case.
        task.add_done_callback(lambda _: turn.close())
        self._assignment.ticket.page_begins()

    async def _take_turn(self) -> Turn:
        """One waiting turn a document: that is what makes it fair."""
        turn = self._next_turn or self._floor.turns.enter(self, self._room)
        self._next_turn = None
        try:
            await turn.granted()
        except BaseException:
            turn.close()
            raise
        return turn

    async def _page(self, page: int, turn: Turn) -> None:
        began = asyncio.get_running_loop().time()
        result = await self._read(page, turn)
        await to_the_end(self._keep(result, began))

    async def _read(self, page: int, turn: Turn) -> PageResult:
        """The page, read or failed: no error of a page is an error of the document."""
        try:
            analysis, attempts = await self._analyse(page, turn)
            refined = await self._floor.refiner.refine(analysis, self._assignment.options, self._assignment.folder.document_id)
        except ServiceError as error:
            attempts = error.attempts if isinstance(error, PageFailed) else 1
            return PageResult(page, error=PageError(error.code, error.detail), attempts=attempts)
        except Exception:
            log.exception("Unexpected error", extra={"document_id": self._assignment.folder.document_id, "page": page})
            return PageResult(page, error=PageError(PageFailed.code, f"Page {page} could not be read: internal error."))
        return PageResult(page, refined, attempts=attempts)

    async def _analyse(self, page: int, turn: Turn) -> tuple[PageAnalysis, int]:
        began = asyncio.get_running_loop().time()
        try:
            return await self._floor.workers.analyse(self._assignment.source, page, self._assignment.options.page)
        finally:
            turn.free_slot()
            if not _being_cancelled():
                self._floor.rate.page_took(asyncio.get_running_loop().time() - began)

    async def _keep(self, result: PageResult, began: float) -> None:
        """Write the page, then tell of it."""
        try:
            body = await self._assignment.folder.write_page(result)
        except StorageFailed as error:
            self._storage_failure = error
            raise
        self.remaining.discard(result.page)
        if result.error is not None:
            self.failures.add(result.page, result.error)
        self.shortfall.add(result)
        self._progress.page_done()
        # Whoever comes late reads the page from the disk.
        kept = body if self.finished.empty() else None
        self.finished.put_nowait(Finished(result.page, result.attempts, result.error, kept))
        seconds = asyncio.get_running_loop().time() - began
        self._floor.observer.page_finished(self._assignment.folder.document_id, result, seconds)

    async def _fail_the_rest(self) -> None:
        for page in sorted(self.remaining):
            detail = f"Page {page} was not read: the time for the document was over."
            result = PageResult(page, error=PageError(DeadlineExceeded.code, detail), attempts=0)
            await to_the_end(self._keep(result, asyncio.get_running_loop().time()))


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
