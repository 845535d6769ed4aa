"""The door to jobs: takes them in, tells of them, cancels them, and sees to it that what a dead replica left is gone on with."""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_service.domain.documents import DocumentOptions, PageError, SourceFile
from ocr_service.domain.errors import Interrupted, JobNotFound, Overloaded, PasswordRequired, ShuttingDown, StorageFailed
from ocr_service.domain.jobs import Job, JobStage, JobState
from ocr_service.domain.ports import DocumentStore
from ocr_service.jobs.config import JobsConfig
from ocr_service.jobs.database import open_database
from ocr_service.jobs.queue import DurableQueue, Kind
from ocr_service.jobs.record import Record, Terms, content_key
from ocr_service.jobs.table import JobTable, ended
from ocr_service.jobs.vigil import Vigil
from ocr_service.jobs.webhooks import Webhooks
from ocr_service.jobs.worker import Worker
from ocr_service.outputs.atomic import flush, storage_errors
from ocr_service.outputs.document_json import DocumentJson, read_summary
from ocr_service.pipeline.journey import Journey
from ocr_service.pipeline.service import DocumentService
from ocr_service.storage.local import new_document_id, source_name
from ocr_service.storage.page_order import PageOrder, page_name
from ocr_service.storage.reading import PAGES, RESULT, unfinished_documents

log = logging.getLogger(__name__)

JOB, WEBHOOK = "job", "webhook"
_PASSWORD_LOST = PageError(
    PasswordRequired.code,
    "The service was restarted before the job was done, and keeps passwords in its memory only: send the document again.",
)
_RETRY_AFTER_S = 10
_EXPIRE_AT_A_TIME = 100
_COUNT_EVERY_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 30.0
_LOOK_EVERY_S, _SHOW_EVERY_S = 0.25, 1.0


@dataclass(frozen=True, slots=True)
class FinishedPage:
    """A page of a job: the `number`-th to be finished, with its JSON as it lies on disk."""

    number: int
    body: bytes


class JobService:
    """Use as `async with`: jobs are done from then on. `drain` first, so that they are left to others."""

    def __init__(self, config: JobsConfig, documents: DocumentService, store: DocumentStore, output_dir: Path) -> None:
        self._config = config
        self._documents = documents
        self._store = store
        self._output_dir = output_dir
        self.executor = new_document_id()
        self._table = JobTable(open_database(config.database), keep_s=config.keep_s)
        self._queue = DurableQueue(config.database, self.executor)
        self._worker = Worker(self._table, documents, store, self.executor)
        self._webhooks = Webhooks(config)
        self._vigil = Vigil(config.lease_s)
        self._passworded: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._left: set[str] = set()
        self._counts: dict[JobState, int] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Jobs are done while this is open. Raises StorageFailed if the database cannot be had."""
        await asyncio.to_thread(self._table.prepare)
        await asyncio.to_thread(self._table.beat, self.executor)
        await asyncio.to_thread(self._remove_strays)
        await self._queue.start(Kind(JOB, self._do, self._config.at_a_time), Kind(WEBHOOK, self._notify, self._config.at_a_time))
        await self._requeue_forgotten()
        tending = asyncio.create_task(self._tend())
        try:
            yield
        finally:
            self._stopping = True
            tending.cancel()
            with suppress(asyncio.CancelledError):
                await tending
            await self.drain()
            await self._worker.watchers_over()
            await self._queue.stop()
            with suppress(StorageFailed):
                await asyncio.to_thread(self._table.leave, self.executor)
            await asyncio.to_thread(self._table.close)

    async def drain(self) -> None:
        """Leave the jobs that are being done as they are, for the next start or another replica."""
        self._stopping = True
        self._worker.leave_all()
        await self._worker.all_over()
        if self._passworded:
            await asyncio.gather(*self._passworded, return_exceptions=True)

    def counts(self) -> dict[JobState, int]:
        """Jobs by state: those that wait or run, of all replicas and a few seconds old; those that ended here since the start."""
        return self._counts | dict(self._worker.finished)

    async def submit(self, source: SourceFile, options: DocumentOptions, terms: Terms) -> tuple[Job, bool]:
        """Take the upload in as a job: from the return on it survives whatever happens to this process. True: it was there before.

        Raises IdempotencyKeyReused, InvalidRequest, Overloaded, ShuttingDown, StorageFailed; nothing is left of the upload then.
        """
        if self._stopping:
            raise ShuttingDown("The service is stopping. Try again in a moment.", retry_after_s=_RETRY_AFTER_S)
        if terms.webhook_url is not None:
            self._webhooks.check(terms.webhook_url)
        record = self._record(source, options, terms)
        earlier = await asyncio.to_thread(self._table.earlier, record)
        if earlier is not None:
            return earlier.job, True
        taken = await self._take_in(record, source)
        if taken.job.job_id != record.job.job_id:
            return taken.job, True
        await self._hand_over(record, source)
        return await self.get(record.job.job_id), False

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """Raises JobNotFound."""
        return (await asyncio.to_thread(self._table.get, job_id, owner)).job

    async def page(self, owner: str, limit: int, after: tuple[float, str] | None, state: JobState | None) -> list[Job]:
        """The owner's jobs, newest first."""
        records = await asyncio.to_thread(self._table.page, owner, limit, after, state)
        return [record.job for record in records]

    async def cancel(self, job_id: str, owner: str) -> Job:
        """Stop the job; workers and VLM are free when this returns, if it was done here, else in about a second. Raises JobNotFound."""
        record = await asyncio.to_thread(self._table.get, job_id, owner)
        if record.job.state.is_over:
            return record.job
        if await asyncio.to_thread(self._table.cancel_queued, job_id):
            await self._over(job_id)
            await asyncio.to_thread(self._queue.withdraw, job_id)
        elif not await self._worker.cancel(job_id):
            await asyncio.to_thread(self._table.ask_to_cancel, job_id)
        return await self.get(job_id)

    async def events(self, job_id: str, after: int) -> AsyncGenerator[Job | FinishedPage]:
        """The job whenever it has changed, about once a second, and each of its pages after the first `after` ones. Ends with the job
        when it is over, or without that when this service stops.
        """
        order = PageOrder(self._output_dir / job_id / PAGES)
        shown, shown_at, number = None, -math.inf, after
        while not self._stopping:
            job = await self.get(job_id)
            now = time.monotonic()
            if not job.state.is_over and job != shown and now - shown_at >= _SHOW_EVERY_S:
                shown, shown_at = job, now
                yield job
            for page in (await asyncio.to_thread(order.finished))[number:]:
                body = await asyncio.to_thread(self._page_body, job_id, page)
                if body is None:  # it failed or expired at this moment, and took its pages with it
                    break
                number += 1
                yield FinishedPage(number, body)
            if job.state.is_over:
                yield job
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _page_body(self, job_id: str, page: int) -> bytes | None:
        try:
            return (self._output_dir / job_id / PAGES / page_name(page)).read_bytes()
        except OSError:
            return None

    async def attached(self, source: SourceFile, options: DocumentOptions, owner: str) -> Journey:
        """A document that somebody waits for: begun at once, and stopped when who waits goes. Otherwise a job like any other.

        Raises what `DocumentService.start` raises; nothing is left of the document then.
        """
        record = self._record(source, options, Terms(owner), attached=True)
        job = replace(record.job, state=JobState.RUNNING, stage=JobStage.OPENING, attempts=1, started_at=record.job.created_at)
        record = replace(record, executor=self.executor, job=job)
        await asyncio.to_thread(self._table.add, record, None)
        try:
            journey = await self._documents.start(source, options, document_id=job.job_id)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(self._table.remove, job.job_id))
            raise
        self._worker.watch(record, journey)
        return journey

    def _record(self, source: SourceFile, options: DocumentOptions, terms: Terms, *, attached: bool = False) -> Record:
        job = Job(
            job_id=new_document_id(),
            state=JobState.QUEUED,
            stage=JobStage.WAITING,
            filename=source.filename,
            size_bytes=source.size_bytes,
            sha256=source.sha256,
            created_at=time.time(),
        )
        return Record(
            job=job,
            media_type=source.media_type.value,
            options=options,
            terms=terms,
            content_key=content_key(source, options, terms.webhook_url),
            attached=attached,
            needs_password=source.password is not None,
            executor=self.executor if source.password is not None else None,
            cancel_requested=False,
        )

    async def _take_in(self, record: Record, source: SourceFile) -> Record:
        """The folder first, then the table: who is in the table has a folder. Nothing is left of what is not taken."""
        await asyncio.to_thread(self._check_space, source.size_bytes)
        folder = await self._store.create(source, include_running=record.options.include_running, document_id=record.job.job_id)
        taken: Record | None = None
        try:
            await asyncio.to_thread(self._flush, folder.path, source)
            taken = await asyncio.to_thread(self._table.add, record, self._config.max_waiting)
            if taken is None:
                retry_after_s = self._documents.retry_after_s(self._config.max_waiting)
                raise Overloaded(f"{self._config.max_waiting} jobs are waiting already. Try again later.", retry_after_s=retry_after_s)
            return taken
        finally:
            if taken is None or taken.job.job_id != record.job.job_id:
                await folder.discard()

    def _check_space(self, size_bytes: int) -> None:
        with storage_errors():
            free = shutil.disk_usage(self._output_dir).free
        if free - size_bytes < self._config.min_free_bytes:
            raise StorageFailed("There is too little space left for another job: free space on the service's disk (OCR_JOBS_MIN_FREE_MB).")

    def _flush(self, folder: Path, source: SourceFile) -> None:
        """Not even a power cut takes back what will be promised."""
        with storage_errors():
            for path in (folder / source_name(source), folder, self._output_dir):
                flush(path)

    async def _hand_over(self, record: Record, source: SourceFile) -> None:
        """From the table into the queue. A job with a password is done here or nowhere: the password is in this process's memory only."""
        job_id = record.job.job_id
        if source.password is None:
            await asyncio.to_thread(self._queue.put, JOB, job_id, workflow_id=job_id)
            return
        task = asyncio.create_task(self._do_with_password(record, source.password))
        self._passworded.add(task)
        task.add_done_callback(self._passworded.discard)

    async def _do_with_password(self, record: Record, password: str) -> None:
        if not await self._do(record.job.job_id, password):
            await self._lose(record, _PASSWORD_LOST)
            await self._over(record.job.job_id)

    async def _do(self, job_id: str, password: str | None = None) -> bool:
        """A task of the queue. While the database of jobs is away or the disk is full, it is tried again and again: what was read is on
        disk, and the next try goes on from there.
        """
        pause_s = _FIRST_PAUSE_S
        while not self._stopping:
            try:
                if not await self._worker.do(job_id, password):
                    return False
                await self._over(job_id)
            except StorageFailed as error:
                log.warning("A job cannot go on now", extra={"document_id": job_id, "reason": error.detail, "next_try_s": pause_s})
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return True
        return False

    async def _over(self, job_id: str) -> None:
        """Tell whoever wants to know."""
        with suppress(JobNotFound):
            record = await asyncio.to_thread(self._table.get, job_id)
            if record.terms.webhook_url is not None and record.job.state.is_over:
                await asyncio.to_thread(self._queue.put, WEBHOOK, f"{job_id} 1", workflow_id=f"{job_id}-webhook-1")

    async def _notify(self, task: str) -> bool:
        """A task of the queue: one attempt at telling; the next one is a task of its own, which waits in the database."""
        job_id, _, attempt = task.partition(" ")
        try:
            record = await asyncio.to_thread(self._table.get, job_id)
        except JobNotFound:
            return True
        pause_s = await self._webhooks.deliver(record, int(attempt))
        if pause_s is not None:
            following = int(attempt) + 1
            await asyncio.to_thread(
                self._queue.put, WEBHOOK, f"{job_id} {following}", workflow_id=f"{job_id}-webhook-{following}", delay_s=pause_s
            )
        return True

    async def _requeue_forgotten(self) -> None:
        """Jobs that were taken in but did not get into the queue, because the process died in between: their id is their task's, too."""
        for job_id in await asyncio.to_thread(self._table.waiting, self._config.max_waiting):
            await asyncio.to_thread(self._queue.put, JOB, job_id, workflow_id=job_id)

    async def _tend(self) -> None:
        """Show that this replica lives, look after the dead ones, remove what has expired."""
        pause_s = min(1.0, self._config.lease_s / 5)
        alive_at = counted_at = time.monotonic()
        while True:
            try:
                if not await asyncio.to_thread(self._table.beat, self.executor):
                    log.warning("Other replicas took this one for dead; its jobs are theirs now")
                    self._left |= self._worker.leave_all()
                await self._take_back()
                alive_at = time.monotonic()
                for job_id in await asyncio.to_thread(self._table.to_cancel, self.executor):
                    await self._worker.cancel(job_id)
                for dead, seen_at in self._vigil.dead(await asyncio.to_thread(self._table.beats, self.executor)):
                    await self._take_over(dead, seen_at)
                await self._expire()
                if time.monotonic() >= counted_at:
                    self._counts = await asyncio.to_thread(self._table.counts)
                    counted_at = time.monotonic() + _COUNT_EVERY_S
            except StorageFailed as error:
                log.warning("The database of jobs does not answer", extra={"reason": error.detail})
            except Exception:
                log.exception("Jobs cannot be looked after now")
            if time.monotonic() - alive_at > 0.6 * self._config.lease_s:
                # The others are about to take over: what would be done here would be done twice.
                self._left |= self._worker.leave_all()
            await asyncio.sleep(pause_s)

    async def _take_back(self) -> None:
        """This replica is heard of again: what it left, and nobody took over, waits again."""
        while self._left:
            job_id = next(iter(self._left))
            await self._worker.over(job_id)
            if await asyncio.to_thread(self._table.requeue, job_id, self.executor):
                await asyncio.to_thread(self._queue.again, job_id, JOB)
            self._left.discard(job_id)

    async def _take_over(self, dead: str, seen_at: float) -> None:
        if not await asyncio.to_thread(self._table.claim, dead, seen_at):
            return
        for record in await asyncio.to_thread(self._table.of_executor, dead):
            await self._inherit(record)
            await self._over(record.job.job_id)
        for workflow_id, kind in await asyncio.to_thread(self._queue.pending, dead):
            log.info("A task of a dead replica is taken over", extra={"task": workflow_id, "executor": dead})
            await asyncio.to_thread(self._queue.again, workflow_id, kind)
        await asyncio.to_thread(self._table.bury, dead)

    async def _inherit(self, record: Record) -> None:
        """What the dead replica was in the middle of goes on, unless nobody can."""
        job_id = record.job.job_id
        pages = await asyncio.to_thread(PageOrder(self._output_dir / job_id / PAGES).finished)
        extra = {"document_id": job_id, "pages_on_disk": len(pages)}
        if record.attached and (summary := await asyncio.to_thread(self._finished, job_id)) is not None:
            log.info("A document was finished, and its end is written down now", extra=extra)
            await asyncio.to_thread(self._table.change, job_id, record.executor or "", _end_of(summary))
        elif record.attached:
            log.warning("A document was cut off; nobody waits for it any more, and its folder is removed", extra=extra)
            await self._lose(record, PageError(Interrupted.code, "The service ended in the middle of the document: send it again."))
        elif record.needs_password:
            log.warning("A job was cut off, its password is lost, and its folder is removed", extra=extra)
            await self._lose(record, _PASSWORD_LOST)
        else:
            log.warning("A job was cut off and is gone on with", extra=extra)
            await asyncio.to_thread(self._table.requeue, job_id, record.executor or "")

    def _finished(self, job_id: str) -> DocumentJson | None:
        """The result, if the document has one: it was answered, or can be fetched."""
        path = self._output_dir / job_id / RESULT
        return read_summary(path) if path.is_file() else None

    async def _lose(self, record: Record, error: PageError) -> None:
        """Through the store, which may have copies elsewhere."""
        job_id = record.job.job_id
        if await asyncio.to_thread(self._table.change, job_id, record.executor or "", ended(JobState.FAILED, error)):
            with suppress(StorageFailed):  # it may not have got as far as having a folder
                folder = await self._store.reopen(job_id)
                await folder.discard()

    def _remove_strays(self) -> None:
        """Folders that a crash left between the making of the folder and the entry in the table. Those of a version without a table have a
        result.
        """
        with storage_errors():
            for folder in list(unfinished_documents(self._output_dir)):
                if time.time() - folder.stat().st_mtime > self._config.stray_s and not self._is_known(folder.name):
                    log.info("A folder that belongs to no document is removed", extra={"document_id": folder.name})
                    shutil.rmtree(folder, ignore_errors=True)

    def _is_known(self, job_id: str) -> bool:
        try:
            self._table.get(job_id)
        except JobNotFound:
            return False
        return True

    async def _expire(self) -> None:
        for job_id in await asyncio.to_thread(self._table.expired, _EXPIRE_AT_A_TIME):
            await asyncio.to_thread(self._remove, job_id)
            log.info("A document has expired and is removed", extra={"document_id": job_id})

    def _remove(self, job_id: str) -> None:
        """The folder first: what is in the table is found again, should this be interrupted."""
        shutil.rmtree(self._output_dir / job_id, ignore_errors=True)
        self._queue.forget(job_id)
        self._table.remove(job_id)


def _end_of(summary: DocumentJson) -> dict[str, object]:
    """The columns that say how a document with this result has ended."""
    asked = len(summary.options.pages) if summary.options.pages is not None else summary.page_count
    values = ended(JobState(summary.status.value), warnings=tuple(summary.warnings))
    return values | {"page_count": asked, "pages_done": asked, "pages_failed": len(summary.failed_pages)}
