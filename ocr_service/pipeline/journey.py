"""The way of one document: folder → open → admit → read → finish, as one task; its reader may come and go.

Promises: the document ends exactly once, complete, partial, failed, cancelled or refused; a folder stays only if it holds a result, or
was handed in; who reads the pages slowly slows nothing down; whoever waits gets the bare domain error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_service.domain.documents import (
    DocumentInfo,
    DocumentOptions,
    DocumentResult,
    DocumentStatus,
    OutputKind,
    PageResult,
    SourceFile,
)
from ocr_service.domain.errors import (
    DeadlineExceeded,
    InvalidRequest,
    Overloaded,
    PasswordRequired,
    ServiceError,
    ShuttingDown,
    StorageFailed,
    TooManyPages,
)
from ocr_service.domain.ports import DocumentFolder, DocumentStore
from ocr_service.pipeline.admission import Admission
from ocr_service.pipeline.cancellation import to_the_end
from ocr_service.pipeline.reading import Assignment, Finished, Floor, KeptPage, Reading
from ocr_service.pipeline.selection import asked_pages

REFUSALS = (Overloaded, ShuttingDown, InvalidRequest, TooManyPages, PasswordRequired)
SEARCHABLE_PDF = "searchable.pdf"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, and by when it has to be done: `timeout_s` from now.

    `document_id`: the name of the folder, if it was given away before. `folder`: the document was begun before; the pages there are not
    read again, and whatever happens the folder stays: who handed it in decides what becomes of it.
    """

    source: SourceFile
    options: DocumentOptions
    timeout_s: float
    document_id: str | None = None
    folder: DocumentFolder | None = None


class Journey:
    """A document on its way. Closing `pages()` early, cancelling `result()` or `aclose()` stops it."""

    def __init__(self, floor: Floor, store: DocumentStore, admission: Admission, request: Request) -> None:
        self._floor = floor
        self._store = store
        self._admission = admission
        self._request = request
        self._began = asyncio.get_running_loop().time()
        self._deadline = self._began + request.timeout_s
        self._timings: dict[str, float] = {}
        self._folder: DocumentFolder | None = None
        self._info: DocumentInfo | None = None
        self._reading: Reading | None = None
        self._result: DocumentResult | None = None
        self._opened = asyncio.Event()
        self._running = False
        self._ending = False
        self._stop_reason: BaseException | None = None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_look_at)

    @property
    def document_id(self) -> str:
        return self._folder.document_id if self._folder is not None else ""

    @property
    def info(self) -> DocumentInfo:
        """What opening the file told."""
        assert self._info is not None
        return self._info

    @property
    def pages_asked(self) -> int:
        """How many pages will come, once the file was opened."""
        return self._reading.pages_asked if self._reading is not None else 0

    @property
    def pages_done(self) -> int:
        """How many of them are on disk."""
        return self._reading.pages_done if self._reading is not None else 0

    @property
    def pages_failed(self) -> int:
        """How many of those could not be read."""
        return len(self._reading.failures.pages) if self._reading is not None else 0

    def when_over(self, callback: Callable[[], None]) -> None:
        """Call back when the document has ended, in whatever way."""
        self._task.add_done_callback(lambda _: callback())

    async def opened(self) -> None:
        """Wait until the document is admitted; raises what kept it from that. Cancellation stops the document."""
        waiting = asyncio.create_task(self._opened.wait())
        try:
            await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.stop()
            raise
        finally:
            waiting.cancel()
        if not self._opened.is_set():
            self._outcome()

    async def pages(self) -> AsyncGenerator[tuple[PageResult, bytes], None]:
        """Each page when it is on disk, with its JSON. The PageResult is a light one, without `analysis`: what was read is in the JSON.

        Closing the generator before its end stops the document. Raises StorageFailed and ShuttingDown, and to a reader who is late whatever
        `result()` raises.
        """
        assert self._reading is not None
        reached_the_end = False
        try:
            while (finished := await self._reading.finished.get()) is not None:
                body = finished.body if finished.body is not None else await self._read_back(finished.page)
                yield _light(finished), body
            reached_the_end = True
        finally:
            if not reached_the_end:
                self.stop()
        if self._reading.remaining:
            await self.result()

    async def result(self) -> DocumentResult:
        """Wait for the finished document. Cancellation stops the document. Raises DocumentUnreadable, DeadlineExceeded, StorageFailed,
        EngineUnavailable, ShuttingDown.
        """
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            self.stop()
            raise
        return self._outcome()

    async def aclose(self) -> None:
        """Stop the document unless it is over, and wait until nothing of it is left."""
        self.stop()
        await self.over()

    async def over(self) -> None:
        """Wait until the document has ended, in whatever way; raises nothing, stops nothing."""
        await asyncio.wait({self._task})

    def stop(self, reason: BaseException | None = None) -> None:
        """Drop what is left of the document; who waits for it gets the reason."""
        if self._task.done() or self._stop_reason is not None:
            return
        self._stop_reason = reason or asyncio.CancelledError()
        # A task that has not begun looks at the reason itself: cancelled before its first step, it would not tidy up.
        if self._running:
            self._task.cancel()

    def _outcome(self) -> DocumentResult:
        if self._task.cancelled():
            raise self._stop_reason or asyncio.CancelledError
        return self._task.result()

    async def _run(self) -> DocumentResult:
        self._running = True
        outcome = "failed"
        try:
            self._stop_if_asked()
            self._reading = await self._open_in_time()
            self._opened.set()
            await self._reading.run(self._deadline)
            self._timed("read")
            result = await self._finish(self._reading)
            outcome = result.status.value
        except asyncio.CancelledError:
            if self._result is None:
                outcome = "cancelled"
                raise
            # Too late: the result is on disk already, and stays.
            result = self._result
            outcome = result.status.value
            return result
        except ServiceError as error:
            outcome = "refused" if isinstance(error, REFUSALS) and not self._opened.is_set() else "failed"
            raise
        else:
            return result
        finally:
            await to_the_end(self._end(outcome))

    def _stop_if_asked(self) -> None:
        if self._stop_reason is not None:
            raise asyncio.CancelledError

    async def _open_in_time(self) -> Reading:
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._open()
        except TimeoutError:
            raise DeadlineExceeded("The time for the document was over before it could be opened.") from None

    async def _open(self) -> Reading:
        options = self._request.options
        await to_the_end(self._create_folder())
        assert self._folder is not None
        # Opening takes a turn as a page does, so that it finds a worker free; as a newcomer's, so that it costs the document none.
        with self._floor.turns.enter(None) as turn:
            await turn.granted()
            self._info = await self._floor.workers.inspect(self._source)
            self._timed("open")
            pages = asked_pages(self._info, options.pages)
            kept = await self._kept_pages(pages)
            ticket = self._admission.admit(len(pages) - len(kept))
            return Reading(self._floor, Assignment(self._folder, self._source, options, pages, ticket, kept))

    async def _create_folder(self) -> None:
        request = self._request
        self._folder = request.folder or await self._store.create(
            request.source, include_running=request.options.include_running, document_id=request.document_id
        )

    async def _kept_pages(self, asked: Sequence[int]) -> tuple[KeptPage, ...]:
        """The pages that an earlier start finished."""
        if self._request.folder is None:
            return ()
        wanted = set(asked)
        return tuple([KeptPage.of(result) async for result in self._request.folder.kept_pages() if result.page in wanted])

    @property
    def _source(self) -> SourceFile:
        """The upload where the store moved it."""
        assert self._folder is not None
        source = self._request.source
        return replace(source, path=self._folder.path / f"source{source.media_type.suffix}")

    async def _finish(self, reading: Reading) -> DocumentResult:
        assert self._folder is not None
        assert self._info is not None
        failed = tuple(sorted(reading.failures.pages))
        pages = tuple(asked_pages(self._info, self._request.options.pages))
        if len(failed) == len(pages):
            raise reading.failures.when_nothing_was_read()
        warnings = self._info.warnings + reading.shortfall.warnings() + await self._write_searchable_pdf()
        self._timings["total"] = round(asyncio.get_running_loop().time() - self._began, 3)
        result = DocumentResult(
            document_id=self._folder.document_id,
            source=self._source,
            options=self._request.options,
            status=DocumentStatus.PARTIAL if failed else DocumentStatus.COMPLETE,
            page_count=self._info.page_count,
            pages=pages,
            failed_pages=failed,
            engine=self._floor.workers.engine,
            timings=dict(self._timings),
            warnings=warnings,
        )
        return await to_the_end(self._finish_folder(self._folder, result))

    async def _finish_folder(self, folder: DocumentFolder, result: DocumentResult) -> DocumentResult:
        self._result = await folder.finish(result)
        return self._result

    async def _write_searchable_pdf(self) -> tuple[str, ...]:
        """An extra: what goes wrong with it is a warning."""
        assert self._folder is not None
        if OutputKind.SEARCHABLE_PDF not in self._request.options.outputs:
            return ()
        try:
            with self._floor.turns.enter(None) as turn:
                await turn.granted()
                files = list(self._folder.page_files())
                await self._floor.workers.write_searchable_pdf(self._source, files, self._folder.path / SEARCHABLE_PDF)
        except ServiceError as error:
            return (f"searchable_pdf: {error.detail}",)
        finally:
            self._timed("searchable_pdf")
        return ()

    async def _read_back(self, page: int) -> bytes:
        assert self._folder is not None
        path: Path = self._folder.path / "pages" / f"{page:04d}.json"
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            if self._ending:
                # A document that failed takes its folder with it: its own error is the one to hear of.
                await self.result()
            raise StorageFailed(f"Page {page} is no longer on disk.") from error

    async def _end(self, outcome: str) -> None:
        """Whatever happened: nothing of the document waits, holds a turn or lies about."""
        self._ending = True
        reading = self._reading
        if reading is not None:
            reading.over(outcome)
        done, asked = (reading.pages_done, reading.pages_asked) if reading is not None else (0, 0)
        seconds = asyncio.get_running_loop().time() - self._began
        self._floor.observer.document_finished(self.document_id, outcome, done, asked, seconds)
        is_ours = self._folder is not None and self._folder is not self._request.folder
        if self._folder is not None and is_ours and outcome not in {DocumentStatus.COMPLETE, DocumentStatus.PARTIAL}:
            await self._discard(self._folder)

    async def _discard(self, folder: DocumentFolder) -> None:
        try:
            await folder.discard()
        except StorageFailed as error:
            # The document's own error is the one to hear of.
            log.warning("A folder cannot be removed", extra={"document_id": folder.document_id, "reason": error.detail})

    def _timed(self, stage: str) -> None:
        """The stage took what the stages before it left of the time since the beginning; seconds."""
        elapsed = asyncio.get_running_loop().time() - self._began
        self._timings[stage] = round(elapsed - sum(self._timings.values()), 3)


def _light(finished: Finished) -> PageResult:
    return PageResult(finished.page, error=finished.error, attempts=finished.attempts)


def _look_at(task: asyncio.Task[DocumentResult]) -> None:
    """Its reader may be gone: an error that nobody asks for is no cause for asyncio to complain."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, ServiceError):
        log.error("A document failed unexpectedly", exc_info=error)
