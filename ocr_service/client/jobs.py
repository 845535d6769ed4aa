"""Jobs, as frozen values; docs/jobs.md says what the states mean. Times are in seconds, moments in UTC."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ocr_service.client.results import Page


class JobFailure(msgspec.Struct, frozen=True):
    """Why a job failed."""

    code: str
    detail: str


class JobLinks(msgspec.Struct, frozen=True):
    """Paths below the service's address; `document` and `markdown` are there once the job is complete or partial."""

    self: str
    events: str
    document: str
    markdown: str


class Job(msgspec.Struct, frozen=True):
    """A job as it was when the service was asked. `state`: `queued`, `running`, `complete`, `partial`, `failed`, `cancelled`.

    `page_count`: pages asked for, None until the file was opened; `attempts`: more than 1 after a restart; `expires_at`: None, it is kept.
    """

    job_id: str
    document_id: str
    state: str
    stage: str
    filename: str
    size_bytes: int
    sha256: str
    page_count: int | None
    pages_done: int
    pages_failed: int
    pages_per_second: float | None
    eta_s: float | None
    queue_position: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    attempts: int
    error: JobFailure | None
    warnings: tuple[str, ...]
    links: JobLinks

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.state not in {"queued", "running"}

    @property
    def has_result(self) -> bool:
        """Whether there is a document."""
        return self.state in {"complete", "partial"}


class JobChanged(msgspec.Struct, frozen=True):
    """The job is now like this."""

    job: Job


class PageFinished(msgspec.Struct, frozen=True):
    """A page is done, the `number`-th of the job: `last_event_id` for going on after it."""

    number: int
    page: Page
