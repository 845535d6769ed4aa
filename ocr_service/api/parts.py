"""The parts that the routes work with. Made by `bootstrap.py`, kept in the application's state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, cast

from fastapi import Request

from ocr_service.api.metrics import Metrics
from ocr_service.api.monitor import Monitor
from ocr_service.api.options import OptionDefaults
from ocr_service.api.uploads import UploadFolder, UploadLimits
from ocr_service.domain.documents import DocumentOptions, DocumentResult, PageResult, SourceFile, StoredFile
from ocr_service.domain.jobs import Job, JobState
from ocr_service.jobs.record import Terms
from ocr_service.jobs.service import FinishedPage
from ocr_service.workers.stats import PoolStats


class Journey(Protocol):
    """A document on its way. Cancelling who waits for its result, or closing its pages early, stops it."""

    @property
    def document_id(self) -> str: ...

    @property
    def pages_asked(self) -> int:
        """How many pages will come."""

    def pages(self) -> AsyncGenerator[tuple[PageResult, bytes], None]:
        """Each page as it finishes, with its JSON."""

    async def result(self) -> DocumentResult:
        """The finished document."""

    async def aclose(self) -> None:
        """Stop it unless it is over."""


class Documents(Protocol):
    """The pipeline, as the routes see it."""

    def place(self) -> AbstractContextManager[None]:
        """A place in the service for one document, from before its upload to its answer. Raises Overloaded, ShuttingDown."""


class Jobs(Protocol):
    """Documents on their way, as the routes see them. Raises JobNotFound for somebody else's."""

    async def attached(self, source: SourceFile, options: DocumentOptions, owner: str) -> Journey:
        """Open the file and begin. Raises DocumentUnreadable and its children, Overloaded, ShuttingDown, StorageFailed."""

    async def submit(self, source: SourceFile, options: DocumentOptions, terms: Terms) -> tuple[Job, bool]:
        """Take it in for good; True: it was there. Raises IdempotencyKeyReused, InvalidRequest, Overloaded, StorageFailed."""

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """The job as it is now."""

    async def page(self, owner: str, limit: int, after: tuple[float, str] | None, state: JobState | None) -> list[Job]:
        """The owner's jobs, newest first."""

    async def cancel(self, job_id: str, owner: str) -> Job:
        """Stop it."""

    def events(self, job_id: str, after: int) -> AsyncGenerator[Job | FinishedPage, None]:
        """What happens to it, from the page after the first `after` ones."""


class Archive(Protocol):
    """Finished documents. Names come from strangers: whatever is not a plain file inside the document's folder raises DocumentNotFound."""

    def file(self, document_id: str, name: str) -> StoredFile:
        """A file by its path in the document's folder. Blocks for a moment."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a route may need."""

    documents: Documents
    jobs: Jobs
    archive: Archive
    uploads: UploadFolder
    upload_limits: UploadLimits
    defaults: OptionDefaults
    monitor: Monitor
    metrics: Metrics
    pool_stats: Callable[[], PoolStats]


def parts_of(request: Request) -> Parts:
    return cast(Parts, request.app.state.parts)
