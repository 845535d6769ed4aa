"""A job as JSON, as answers, event streams and webhooks carry it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from ocr_service.domain.jobs import Job, JobStage, JobState
from ocr_service.domain.text import printable


class ErrorJson(msgspec.Struct, frozen=True):
    """Why a job failed."""

    code: str
    detail: str


class LinksJson(msgspec.Struct, frozen=True):
    """Where more is to be had; `document` and `markdown` once the job is complete or partial."""

    self: str
    events: str
    document: str
    markdown: str


class JobJson(msgspec.Struct, frozen=True):
    """The contract with clients."""

    job_id: str
    document_id: str
    state: JobState
    stage: JobStage
    filename: str
    size_bytes: int
    sha256: str
    page_count: int | None
    pages_done: int
    pages_failed: int
    pages_per_second: float | None
    eta_s: float | None
    queue_position: int | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    expires_at: str | None
    attempts: int
    error: ErrorJson | None
    warnings: list[str]
    links: LinksJson


def job_json(job: Job) -> JobJson:
    document = f"/ocr/documents/{job.job_id}"
    path = f"/ocr/jobs/{job.job_id}"
    return JobJson(
        job_id=job.job_id,
        document_id=job.job_id,
        state=job.state,
        stage=job.stage,
        filename=printable(job.filename),
        size_bytes=job.size_bytes,
        sha256=job.sha256,
        page_count=job.page_count,
        pages_done=job.pages_done,
        pages_failed=job.pages_failed,
        pages_per_second=job.pages_per_second,
        eta_s=job.eta_s,
        queue_position=job.queue_position,
        created_at=_moment(job.created_at),
        started_at=_moment(job.started_at) if job.started_at is not None else None,
        finished_at=_moment(job.finished_at) if job.finished_at is not None else None,
        expires_at=_moment(job.expires_at) if job.expires_at is not None else None,
        attempts=job.attempts,
        error=ErrorJson(job.error.code, printable(job.error.detail)) if job.error is not None else None,
        warnings=[printable(warning) for warning in job.warnings],
        links=LinksJson(path, f"{path}/events", document, f"{document}/files/document.md"),
    )


def encode_job(job: Job) -> bytes:
    return msgspec.json.encode(job_json(job))


def _moment(seconds: float) -> str:
    """ISO 8601, "2024-04-03T12:00:00.123Z"."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
