"""Does jobs: takes each through the pipeline, keeps the table up to date, and stops it when it is cancelled or has to be left to others."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ocr_service.domain.documents import DocumentResult, MediaType, PageError, SourceFile
from ocr_service.domain.errors import (
    DocumentCancelled,
    EngineUnavailable,
    Overloaded,
    ServiceError,
    ShuttingDown,
    StorageFailed,
    StorageFull,
)
from ocr_service.domain.jobs import JobStage, JobState
from ocr_service.domain.ports import DocumentFolder, DocumentStore
from ocr_service.jobs.record import Record
from ocr_service.jobs.table import JobTable, ended
from ocr_service.pipeline.journey import Journey
from ocr_service.pipeline.service import DocumentService

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
_LONGEST_WAIT_S = 5.0
_DATABASE_PAUSE_S = 1.0
_UNEXPECTED = PageError("internal_error", "The service failed in a way that it does not know. Its log tells more.")


@dataclass(eq=False)
class _Run:
    """A job that is being done here. `journey` is there once its file was opened; until then stopping it means to cancel `task`."""

    record: Record
    task: asyncio.Task[DocumentResult] | None = None
    journey: Journey | None = None
    reason: ServiceError | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self, reason: ServiceError) -> None:
        if self.reason is None:
            self.reason = reason
            if self.journey is not None:
                self.journey.stop(reason)
            elif self.task is not None:
                self.task.cancel()


class Worker:
    """All jobs of this process."""

    def __init__(self, table: JobTable, documents: DocumentService, store: DocumentStore, executor: str) -> None:
        self._table = table
        self._documents = documents
        self._store = store
        self._executor = executor
        self._runs: dict[str, _Run] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.finished: Counter[JobState] = Counter()

    async def do(self, job_id: str, password: str | None) -> bool:
        """Do the job, from where an earlier start left it. False: it was stopped in the middle and is left to others.

        Raises StorageFailed when its state cannot be written, and when the disk is full: the job is as it was, and can be done again.
        """
        if job_id in self._runs:
            return False
        record = await asyncio.to_thread(self._table.begin, job_id, self._executor)
        if record is None:
            return True
        run = self._runs[job_id] = _Run(record)
        try:
            return await self._do(run, password)
        finally:
            del self._runs[job_id]
            run.over.set()

    async def cancel(self, job_id: str) -> bool:
        """Stop the job if it is done here, and wait until nothing of it is left. False: it is not."""
        run = self._runs.get(job_id)
        if run is None:
            return False
        run.stop(DocumentCancelled("The document was cancelled."))
        await run.over.wait()
        return True

    def leave_all(self) -> set[str]:
        """Stop all jobs as they are, for others to go on with; gives those that others can. Who is waited for here is not touched."""
        left = {job_id: run for job_id, run in self._runs.items() if not run.record.attached}
        for run in left.values():
            run.stop(ShuttingDown("The job is left to another start of the service.", retry_after_s=1))
        return {job_id for job_id, run in left.items() if not run.record.needs_password}

    async def over(self, job_id: str) -> None:
        """Wait until the job is not done here any more."""
        if (run := self._runs.get(job_id)) is not None:
            await run.over.wait()

    async def all_over(self) -> None:
        """Wait until no job is done here any more."""
        while jobs := [run.over.wait() for run in self._runs.values() if not run.record.attached]:
            await asyncio.gather(*jobs)

    async def watchers_over(self) -> None:
        """Wait until the ends of documents that somebody waited for are written down, or cannot be now."""
        self._stopping = True
        if self._watchers:
            await asyncio.gather(*self._watchers)

    def watch(self, record: Record, journey: Journey) -> None:
        """Keep the table up to date about a document that somebody waits for."""
        run = self._runs[record.job.job_id] = _Run(record, journey=journey)
        task = asyncio.create_task(self._watch(run, journey))
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _watch(self, run: _Run, journey: Journey) -> None:
        job_id = run.record.job.job_id
        following = asyncio.create_task(self._follow(run, journey))
        try:
            await journey.over()
            await self._end_sometime(run, await _end_of(journey))
        except StorageFailed as error:
            log.warning("The end of a document is not in the table of jobs", extra={"document_id": job_id, "reason": error.detail})
        finally:
            following.cancel()
            del self._runs[job_id]
            run.over.set()

    async def _end_sometime(self, run: _Run, values: Mapping[str, object]) -> None:
        """When the database is away, or its disk full, then later: a document that was answered must not be taken for one that was cut off.
        Raises StorageFailed if the service stops before that.
        """
        while True:
            try:
                return await self._end(run, values)
            except StorageFailed:
                if self._stopping:
                    raise
            await asyncio.sleep(_DATABASE_PAUSE_S)

    async def _do(self, run: _Run, password: str | None) -> bool:
        record = run.record
        if record.cancel_requested:
            await self._end(run, ended(JobState.CANCELLED))
            return True
        folder: DocumentFolder | None = None
        try:
            folder = await self._store.reopen(record.job.job_id, include_running=record.options.include_running)
            run.task = asyncio.create_task(self._read(run, folder, _source(record, folder, password)))
            result = await _outcome(run)
        except ShuttingDown:
            return False
        except DocumentCancelled:
            await self._end(run, ended(JobState.CANCELLED) | (counted(run.journey) if run.journey else {}))
        except StorageFull:
            raise
        except ServiceError as error:
            await self._end(run, ended(JobState.FAILED, PageError(error.code, error.detail)))
            if folder is not None:
                await folder.discard()
        except Exception:
            log.exception("A job failed unexpectedly", extra={"document_id": record.job.job_id})
            await self._end(run, ended(JobState.FAILED, _UNEXPECTED))
        else:
            assert run.journey is not None
            await self._end(run, ended(JobState(result.status.value), warnings=result.warnings) | counted(run.journey))
        return True

    async def _read(self, run: _Run, folder: DocumentFolder, source: SourceFile) -> DocumentResult:
        """Through the pipeline, as soon as there is room: who was accepted is not refused any more."""
        while True:
            try:
                with self._documents.place():
                    await self._change(run, stage=JobStage.OPENING.value)
                    journey = await self._documents.start(source, run.record.options, folder=folder)
                    return await self._follow_to_the_end(run, journey)
            except EngineUnavailable:
                raise
            except Overloaded as error:
                await self._change(run, stage=JobStage.WAITING.value)
                await asyncio.sleep(min(error.retry_after_s, _LONGEST_WAIT_S))

    async def _follow_to_the_end(self, run: _Run, journey: Journey) -> DocumentResult:
        run.journey = journey
        if run.reason is not None:
            journey.stop(run.reason)
        following = asyncio.create_task(self._follow(run, journey))
        try:
            return await journey.result()
        finally:
            following.cancel()
            await journey.aclose()

    async def _follow(self, run: _Run, journey: Journey) -> None:
        """Write down how far it is, now and then."""
        began, kept = asyncio.get_running_loop().time(), journey.pages_done
        while True:
            await self._write_progress(run, journey, kept, asyncio.get_running_loop().time() - began)
            await asyncio.sleep(PROGRESS_EVERY_S)

    async def _write_progress(self, run: _Run, journey: Journey, kept: int, seconds: float) -> None:
        done, asked = journey.pages_done, journey.pages_asked
        rate = round((done - kept) / seconds, 3) if done > kept and seconds > 0 else None
        stage = JobStage.FINISHING if done == asked else JobStage.READING
        eta_s = round((asked - done) / rate, 1) if rate else None
        with suppress(StorageFailed):
            ours = await self._change(run, stage=stage.value, pages_per_second=rate, eta_s=eta_s, **counted(journey))
            if not ours and not run.over.is_set() and not run.record.attached:
                # Another replica took it over, because this one was not heard of for a while.
                run.stop(ShuttingDown("The job is another replica's now.", retry_after_s=1))

    async def _change(self, run: _Run, **values: object) -> bool:
        return await asyncio.to_thread(lambda: self._table.change(run.record.job.job_id, self._executor, values))

    async def _end(self, run: _Run, values: Mapping[str, object]) -> None:
        if await self._change(run, **values):
            self.finished[JobState(str(values["state"]))] += 1


def counted(journey: Journey) -> dict[str, object]:
    """The columns that say how far a journey is."""
    return {"page_count": journey.pages_asked, "pages_done": journey.pages_done, "pages_failed": journey.pages_failed}


async def _end_of(journey: Journey) -> dict[str, object]:
    """The columns that say how a journey that is over has ended."""
    try:
        result = await journey.result()
    except (asyncio.CancelledError, DocumentCancelled):
        return ended(JobState.CANCELLED)
    except ServiceError as error:
        return ended(JobState.FAILED, PageError(error.code, error.detail))
    return ended(JobState(result.status.value), warnings=result.warnings) | counted(journey)


async def _outcome(run: _Run) -> DocumentResult:
    """The result of the run's task; who was stopped before its file was opened hears the reason, too."""
    assert run.task is not None
    if run.reason is not None:
        run.task.cancel()
    try:
        return await run.task
    except asyncio.CancelledError:
        if run.reason is None:
            raise
        raise run.reason from None


def _source(record: Record, folder: DocumentFolder, password: str | None) -> SourceFile:
    media_type = MediaType(record.media_type)
    job = record.job
    return SourceFile(folder.path / f"source{media_type.suffix}", media_type, job.filename, job.sha256, job.size_bytes, password)
