"""The pool of page workers: keeps `capacity` of them alive, hands requests to them, and tries again when one is lost.

Rules: every request ends, with an answer or an error; a worker is lent to one request at a time; a caller that goes away does not stop its
worker, which finishes under the watchdog and comes back; nobody but the pool ends a worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Self, TypeVar

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, EngineUnavailable, PageFailed, PageOutOfMemory, ShuttingDown, StorageFailed
from ocr_service.domain.ports import KnownPage, Observer
from ocr_service.workers.answers import analysed, inspected, known, written
from ocr_service.workers.config import PoolConfig
from ocr_service.workers.death import Attempts, Death, WorkerDied, WorkerGone, opening_error, page_error
from ocr_service.workers.line import WaitingLine
from ocr_service.workers.process import WorkerProcess, WorkerStartFailed
from ocr_service.workers.protocol import Analyse, Failed, Inspect, Look, Outcome, Task, WriteSearchablePdf
from ocr_service.workers.scratch import Scratch
from ocr_service.workers.stats import PoolStats

RETRY_AFTER_S = 30
RECYCLED = "recycled"

log = logging.getLogger(__name__)

T = TypeVar("T")


class WorkerPool:
    """`domain.ports.PageWorkers` by child processes. An async context manager, or `start` and `close`."""

    def __init__(self, config: PoolConfig, observer: Observer) -> None:
        self._config = config
        self._observer = observer
        self._line = WaitingLine()
        self._processes: set[WorkerProcess] = set()
        self._ready: set[WorkerProcess] = set()
        self._busy: set[WorkerProcess] = set()
        self._retired: set[WorkerProcess] = set()
        self._starting = 0
        self._restarts: Counter[str] = Counter()
        self._last_error: str | None = None
        self._engine = ""
        self._versions: dict[str, str] = {}
        self._walls: tuple[str, ...] = ()
        self._tenders: list[asyncio.Task[None]] = []
        self._background: set[asyncio.Task[object]] = set()
        self._scratch: Scratch | None = None
        self._closing = False
        # Renewed one at a time, each only when its successor stands ready: the pool never has less than its capacity because of it.
        self._recycling = asyncio.Lock()
        self._first_ready = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def capacity(self) -> int:
        return self._config.capacity

    @property
    def engine(self) -> str:
        """The engine's name; empty until the first worker is ready."""
        return self._engine

    async def start(self) -> None:
        """Begin to start the workers; does not wait for them."""
        self._scratch = await asyncio.to_thread(Scratch.claim, self._config.temporary_root)
        self._tenders = [asyncio.create_task(self._tend(seat)) for seat in range(self.capacity)]

    async def wait_until_ready(self) -> None:
        """Return once a worker has been ready; put a timeout around it."""
        await self._first_ready.wait()

    async def close(self) -> None:
        """End all workers, refuse who waits, remove what they left. Answers in flight are lost."""
        self._closing = True
        self._line.refuse_all(_stopping())
        for tender in self._tenders:
            tender.cancel()
        await asyncio.gather(*self._tenders, return_exceptions=True)
        for worker in self._processes:
            worker.kill(Death.CRASHED)
        while self._background:
            await asyncio.wait(self._background)
        await asyncio.gather(*(worker.close() for worker in tuple(self._processes)))
        self._processes.clear()
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.remove)

    def stats(self) -> PoolStats:
        """The pool as it is now; reads /proc once per worker."""
        return PoolStats(
            capacity=self.capacity,
            ready=len(self._ready),
            busy=len(self._busy),
            starting=self._starting,
            restarts=dict(self._restarts),
            rss_bytes={worker.pid: worker.rss_bytes for worker in self._processes if not worker.has_ended},
            last_error=self._last_error,
            engine=self._engine,
            versions=self._versions,
            walls=self._walls,
        )

    async def inspect(self, source: SourceFile) -> DocumentInfo:
        """Open the file in a worker. Raises DocumentUnreadable and its children, EngineUnavailable, ShuttingDown."""
        try:
            outcome, _ = await self._perform(Inspect(source), self._config.inspect_timeout_s)
        except WorkerDied as died:
            raise DocumentUnreadable(opening_error(died)) from None
        return inspected(outcome)

    async def analyse(self, source: SourceFile, page: int, options: PageOptions) -> tuple[PageAnalysis, int]:
        """Read one page; returns the analysis and the attempts made. Raises PageFailed and its children, EngineUnavailable, ShuttingDown.

        Two attempts when a worker crashes, times out or outgrows its memory; up to four when workers are killed from outside.
        """
        outcome, attempts = await self._analyse(Analyse(source, page, options))
        return _or_failed(outcome, page, attempts), attempts

    async def look_or_analyse(
        self, source: SourceFile, page: int, options: PageOptions, folder: Path, salt: str
    ) -> tuple[PageAnalysis | KnownPage, int]:
        """As `analyse`, unless the page is in the folder of a cache already. `salt`: what the pages there depend on beside the worker."""
        outcome, attempts = await self._analyse(Analyse(source, page, options, Look(folder, salt)))
        if (found := known(outcome)) is not None:
            return KnownPage(found.key, found.seconds), attempts
        return _or_failed(outcome, page, attempts), attempts

    async def _analyse(self, task: Analyse) -> tuple[Outcome, int]:
        attempts = Attempts()
        try:
            outcome, _ = await self._perform(task, self._config.page_timeout_s, attempts)
        except WorkerDied as died:
            raise page_error(died, task.page, attempts.made) from None
        return outcome, attempts.made

    async def write_searchable_pdf(self, source: SourceFile, pages: Sequence[Path], target: Path) -> None:
        """Lay the text of the page files invisibly over the source. Raises DocumentUnreadable, StorageFailed, EngineUnavailable."""
        try:
            outcome, _ = await self._perform(WriteSearchablePdf(source, tuple(pages), target), self._config.write_timeout_s)
        except WorkerDied as died:
            raise StorageFailed(f"The searchable PDF could not be made: the worker died ({died}).") from None
        written(outcome)

    # Requests

    async def _perform(self, task: Task, timeout_s: float, attempts: Attempts | None = None) -> tuple[Outcome, Attempts]:
        """Try in one worker after the other. Raises WorkerDied with the last one's death."""
        attempts = attempts or Attempts()
        while True:
            worker = await self._borrow(urgent=isinstance(task, Inspect) or attempts.made > 0)
            attempts.began()
            # The attempt outlives its caller: a worker in the middle of a page cannot be handed to anybody else.
            attempt = self._in_background(self._attempt(worker, task, timeout_s))
            try:
                return await asyncio.shield(attempt), attempts
            except asyncio.CancelledError:
                self._in_background(self._end_abandoned(worker, attempt))
                raise
            except WorkerGone:
                attempts.made -= 1
            except WorkerDied as died:
                log.warning("A page worker was lost", extra={"pid": worker.pid, "reason": died.death.value, "detail": died.detail})
                if self._closing:
                    raise _stopping() from None
                if not attempts.may_retry_after(died):
                    raise
                if isinstance(task, Analyse):
                    # Looking for a page must not cost it: the second attempt only reads.
                    task = Analyse(task.source, task.page, task.options)

    async def _attempt(self, worker: WorkerProcess, task: Task, timeout_s: float) -> Outcome:
        try:
            outcome = await worker.call(task, timeout_s=timeout_s)
            if isinstance(outcome, Failed) and outcome.code == PageOutOfMemory.code:
                # The engine caught it, but who knows what else in that process did not get its memory.
                worker.kill(Death.OUT_OF_MEMORY)
                raise WorkerDied(Death.OUT_OF_MEMORY, "the memory limit")
            if isinstance(task, Analyse):
                worker.pages_done += 1
            return outcome
        finally:
            self._take_back(worker)

    async def _end_abandoned(self, worker: WorkerProcess, attempt: asyncio.Task[Outcome]) -> None:
        """Nobody waits for this attempt any more: it has a little while to end, then its worker is needed elsewhere."""
        if not (await asyncio.wait({attempt}, timeout=self._config.abandoned_s))[0]:
            worker.kill(Death.CANCELLED)
            await asyncio.wait({attempt})
        if not attempt.cancelled():
            # Looked at, so that asyncio does not complain of an error that nobody asked for.
            attempt.exception()

    async def _borrow(self, *, urgent: bool) -> WorkerProcess:
        if self._closing:
            raise _stopping()
        worker = self._line.take()
        if worker is None:
            worker = await self._wait_in_line(self._line.enter(urgent=urgent))
        self._ready.discard(worker)
        self._busy.add(worker)
        return worker

    async def _wait_in_line(self, place: asyncio.Future[WorkerProcess]) -> WorkerProcess:
        """Wait as long as workers live; without any, only for a while. Raises EngineUnavailable, ShuttingDown."""
        try:
            while not place.done():
                await asyncio.wait({place}, timeout=self._config.no_worker_timeout_s)
                if not place.done() and not self._ready and not self._busy:
                    place.cancel()
                    raise self._unavailable()
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._line.give(place.result())
            place.cancel()
            raise
        return place.result()

    def _take_back(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        if worker.has_ended:
            return
        if worker in self._retired:
            self._dispose(worker)
            return
        if worker.pages_done >= self._config.max_pages or worker.rss_bytes > self._config.recycle_bytes:
            worker.leaving.set()
        self._offer(worker)

    def _offer(self, worker: WorkerProcess) -> None:
        self._ready.add(worker)
        self._line.give(worker)

    # Keeping the workers alive

    async def _tend(self, seat: int) -> None:
        """One place in the pool, for ever: start a worker, lend it out, and have a successor when it leaves."""
        worker = await self._start_until_it_works(seat)
        while True:
            self._offer(worker)
            await worker.leaving.wait()
            if worker.has_ended:
                reason = worker.cause.reason
                self._ready.discard(worker)
                self._dispose(worker)
                successor = await self._start_until_it_works(seat)
            else:
                reason = RECYCLED
                async with self._recycling:
                    successor = await self._start_until_it_works(seat)
                self._retire(worker)
            self._restarts[reason] += 1
            self._observer.worker_replaced(reason)
            log.info("A page worker was replaced", extra={"reason": reason, "pid": worker.pid, "pages": worker.pages_done})
            worker = successor

    def _retire(self, worker: WorkerProcess) -> None:
        """Its successor stands ready: end it now, or when it comes back."""
        if worker in self._busy and not worker.has_ended:
            self._retired.add(worker)
            return
        self._line.withdraw(worker)
        self._dispose(worker)

    def _dispose(self, worker: WorkerProcess) -> None:
        self._ready.discard(worker)
        self._retired.discard(worker)
        self._in_background(self._close(worker))

    async def _close(self, worker: WorkerProcess) -> None:
        await worker.close()
        self._processes.discard(worker)

    async def _start_until_it_works(self, seat: int) -> WorkerProcess:
        backoff_s = self._config.first_backoff_s
        while True:
            try:
                return await self._start_one(seat)
            except WorkerStartFailed as error:
                self._last_error = str(error)
                log.error("A page worker cannot be started", extra={"reason": str(error), "next_try_s": backoff_s})  # noqa: TRY400  one line
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, self._config.longest_backoff_s)

    async def _start_one(self, seat: int) -> WorkerProcess:
        assert self._scratch is not None
        self._starting += 1
        try:
            worker = await WorkerProcess.spawn(self._config, self._scratch.path, seat)
            self._processes.add(worker)
            try:
                await worker.set_up()
            except WorkerStartFailed:
                self._dispose(worker)
                raise
        finally:
            self._starting -= 1
        self._engine, self._versions, self._walls, self._last_error = worker.engine, worker.versions, worker.walls, None
        self._first_ready.set()
        log.info("A page worker is ready", extra={"pid": worker.pid, "engine": worker.engine, "confinement": worker.walls})
        return worker

    def _in_background(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _unavailable(self) -> EngineUnavailable:
        why = self._last_error or "they are still starting"
        log.warning("A request found no page worker", extra={"reason": why})
        return EngineUnavailable("No page worker is running at the moment. Try again later.", retry_after_s=RETRY_AFTER_S)


def _or_failed(outcome: Outcome, page: int, attempts: int) -> PageAnalysis:
    try:
        return analysed(outcome, page)
    except PageFailed as failed:
        failed.attempts = attempts
        raise


def _stopping() -> ShuttingDown:
    return ShuttingDown("The service is stopping.", retry_after_s=RETRY_AFTER_S)
