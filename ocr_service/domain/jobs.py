"""A job: a document that is worth keeping an eye on from outside, whether somebody waits for it or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ocr_service.domain.documents import PageError


class JobState(StrEnum):
    """`queued` and `running` are on their way, the others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        return self not in {JobState.QUEUED, JobState.RUNNING}


class JobStage(StrEnum):
    """What is being done: waiting for a place, opening the file, reading pages, making the outputs, nothing any more."""

    WAITING = "waiting"
    OPENING = "opening"
    READING = "reading"
    FINISHING = "finishing"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. `job_id` is the document's id; moments are seconds since 1970.

    `page_count`: pages asked for, None until the file was opened; `attempts`: how often it was started; `queue_position`: 1 is next.
    """

    job_id: str
    state: JobState
    stage: JobStage
    filename: str
    size_bytes: int
    sha256: str
    created_at: float
    page_count: int | None = None
    pages_done: int = 0
    pages_failed: int = 0
    pages_per_second: float | None = None
    eta_s: float | None = None
    queue_position: int | None = None
    started_at: float | None = None
    finished_at: float | None = None
    expires_at: float | None = None
    attempts: int = 0
    error: PageError | None = None
    warnings: tuple[str, ...] = field(default=())
