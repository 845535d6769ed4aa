"""/ocr/jobs: documents that outlast a connection."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response

from ocr_service.api.disconnect import unless_gone
from ocr_service.api.event_stream import EventStream, event
from ocr_service.api.job_schemas import CANCELLED, EVENTS, FOUND, JOB_BODY, LISTED, TAKEN
from ocr_service.api.ocr import refuse_query
from ocr_service.api.options import FIELDS, parse_options
from ocr_service.api.owner import owner_of
from ocr_service.api.parts import Jobs, parts_of
from ocr_service.domain.errors import InvalidRequest
from ocr_service.domain.jobs import Job, JobState
from ocr_service.jobs.job_json import encode_job, job_json
from ocr_service.jobs.record import Terms
from ocr_service.jobs.webhooks import FIELD as WEBHOOK_FIELD

router = APIRouter(tags=["jobs"])

REPLAYED_HEADER = "Idempotency-Replayed"
MAX_LISTED = 200

_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_NO_STORE = {"Cache-Control": "no-store"}

JobId = Annotated[str, Path(description="`job_id` of a job.")]


@router.post("/ocr/jobs", responses=TAKEN, openapi_extra=JOB_BODY, status_code=HTTPStatus.ACCEPTED)
async def create_job(
    request: Request,
    idempotency_key: Annotated[str | None, Header(description="The same key with the same content is the same job.")] = None,
) -> Response:
    """Take a document in as a job: it is read whether anybody waits or not, and survives the end of the service.

    The fields are those of POST /ocr/pdf, and `webhook_url`.
    """
    refuse_query(request)
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise InvalidRequest("'Idempotency-Key' must have 1 to 200 printable ASCII characters, no spaces.", field="Idempotency-Key")
    parts = parts_of(request)
    with parts.documents.place():
        async with parts.uploads.receive(request, (*FIELDS, WEBHOOK_FIELD), parts.upload_limits) as upload:
            urls = [value.strip() for name, value in upload.fields if name == WEBHOOK_FIELD and value.strip()]
            if len(urls) > 1:
                raise InvalidRequest(f"'{WEBHOOK_FIELD}' may be given only once.", field=WEBHOOK_FIELD)
            options, password = parse_options([pair for pair in upload.fields if pair[0] != WEBHOOK_FIELD], parts.defaults)
            parts.metrics.upload_received(upload.source.size_bytes)
            terms = Terms(owner_of(request), idempotency_key, urls[0] if urls else None)
            source = replace(upload.source, password=password)
            job, replayed = await unless_gone(request.receive, parts.jobs.submit(source, options, terms))
    headers = {"Location": f"/ocr/jobs/{job.job_id}"} | ({REPLAYED_HEADER: "true"} if replayed else {})
    return _answer(encode_job(job), HTTPStatus.ACCEPTED, headers)


@router.get("/ocr/jobs", responses=LISTED)
async def list_jobs(
    request: Request,
    limit: Annotated[str, Query(description=f"1 to {MAX_LISTED}.", pattern=r"^[0-9]{1,3}$")] = "50",
    cursor: Annotated[str | None, Query(description="`next_cursor` of the answer before.")] = None,
    state: Annotated[str | None, Query(description="Only jobs in this state.", json_schema_extra={"enum": list(JobState)})] = None,
) -> Response:
    """The caller's jobs, newest first."""
    if not 1 <= int(limit) <= MAX_LISTED:
        raise InvalidRequest(f"'limit' must be a whole number from 1 to {MAX_LISTED}.", field="limit")
    jobs = await parts_of(request).jobs.page(owner_of(request), int(limit) + 1, _after(cursor), _state(state))
    more = len(jobs) > int(limit)
    jobs = jobs[: int(limit)]
    answer = {"jobs": [job_json(job) for job in jobs], "next_cursor": _cursor(jobs[-1]) if more else None}
    return _answer(msgspec.json.encode(answer))


@router.get("/ocr/jobs/{job_id}", responses=FOUND)
async def get_job(request: Request, job_id: JobId) -> Response:
    """A job as it is now."""
    return _answer(encode_job(await parts_of(request).jobs.get(job_id, owner_of(request))))


@router.delete("/ocr/jobs/{job_id}", responses=CANCELLED)
async def cancel_job(request: Request, job_id: JobId) -> Response:
    """Stop a job. Its pages so far stay; one that is over is answered as it is."""
    return _answer(encode_job(await parts_of(request).jobs.cancel(job_id, owner_of(request))))


@router.get("/ocr/jobs/{job_id}/events", responses=EVENTS)
async def job_events(
    request: Request,
    job_id: JobId,
    last_event_id: Annotated[str | None, Query(description="Only pages after this `id`; the header Last-Event-ID goes first.")] = None,
) -> Response:
    """A job as it goes on, as server-sent events: `job` when it has changed, `page` for each page as it finishes."""
    parts = parts_of(request)
    last = request.headers.get("last-event-id") or last_event_id or "0"
    if not _NUMBER.fullmatch(last):
        raise InvalidRequest("'Last-Event-ID' must be the id of an event, a whole number.", field="last_event_id")
    await parts.jobs.get(job_id, owner_of(request))
    return EventStream(_events(parts.jobs, job_id, int(last)), idle_s=parts.upload_limits.idle_s)


async def _events(jobs: Jobs, job_id: str, last: int) -> AsyncGenerator[bytes, None]:
    async with aclosing(jobs.events(job_id, last)) as happenings:
        async for happening in happenings:
            if isinstance(happening, Job):
                yield event("job", encode_job(happening))
            else:
                yield event("page", happening.body, happening.number)


def _answer(body: bytes, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=status, media_type="application/json", headers=_NO_STORE | (headers or {}))


def _state(text: str | None) -> JobState | None:
    if not text:
        return None
    try:
        return JobState(text)
    except ValueError:
        raise InvalidRequest(f"'state' must be one of: {', '.join(JobState)}.", field="state") from None


def _cursor(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.created_at!r} {job.job_id}".encode()).decode("ascii")


def _after(cursor: str | None) -> tuple[float, str] | None:
    if not cursor:
        return None
    try:
        created_at, _, job_id = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii").partition(" ")
        return float(created_at), job_id
    except (binascii.Error, ValueError):
        raise InvalidRequest("'cursor' must be the `next_cursor` of an answer.", field="cursor") from None
