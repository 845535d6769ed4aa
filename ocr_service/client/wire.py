"""How the service is spoken to and what its bytes mean: all that the two clients share. Nothing here sends or waits."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
import msgspec

from ocr_service.client.errors import (
    AnswerBroken,
    BrokenOff,
    JobCancelled,
    JobFailed,
    JobUnfinished,
    NoResult,
    Refused,
    TimedOut,
    Unreachable,
    refusal,
)
from ocr_service.client.jobs import Job
from ocr_service.client.options import Options
from ocr_service.client.results import Page, Summary

File = str | os.PathLike[str] | bytes | BinaryIO
"""A path, a file's content, or a file opened for reading that can be rewound."""

NDJSON = {"Accept": "application/x-ndjson"}
JOBS = "/ocr/jobs"
CONNECT_S = 10.0
POOL_SIZE = 64

_Answer = TypeVar("_Answer")


class _Problem(msgspec.Struct):
    """Lenient: a proxy in between may answer with anything."""

    code: str = ""
    detail: str = ""
    title: str = ""
    status: int = 500
    field: str | None = None
    retry_after_s: float | None = None
    request_id: str | None = None


class _Closing(msgspec.Struct):
    """What tells a stream's lines apart: only a page's has `page`, which may have an `error`, too. Raw is empty where there is none."""

    page: int | None = None
    summary: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


def client_arguments(url: str, api_key: str | None, timeout_s: float) -> dict[str, Any]:
    """For httpx's clients. Raises ValueError for an impossible address or key; the key is not in the text."""
    host = _host_of(url)
    if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key):
        raise ValueError("the API key must consist of printable ASCII characters")
    return {
        "base_url": url.rstrip("/"),
        "headers": {"Authorization": f"Bearer {api_key}"} if api_key is not None else {},
        "timeout": httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        "limits": httpx.Limits(max_connections=POOL_SIZE, max_keepalive_connections=POOL_SIZE),
        # A proxy from the environment is for other machines.
        "trust_env": not _is_loopback(host),
    }


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the address must be a URL such as http://localhost:8081")
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_on_this_machine(url: str) -> bool:
    """Whether the address is a loopback one. Raises ValueError for an impossible address."""
    return _is_loopback(_host_of(url))


@contextmanager
def opened(file: File, name: str | None) -> Iterator[tuple[str, BinaryIO | bytes]]:
    """The upload's name and content; a path is opened, and closed again. Raises OSError."""
    if isinstance(file, bytes):
        yield name or "document", file
    elif isinstance(file, str | os.PathLike):
        with Path(file).open("rb") as stream:
            yield name or Path(file).name, stream
    else:
        yield name or "document", file


def document_path(document_id: str) -> str:
    return f"/ocr/documents/{quote(document_id, safe='')}"


def file_path(document_id: str, name: str) -> str:
    return f"{document_path(document_id)}/files/{quote(name)}"


def job_path(job_id: str) -> str:
    return f"{JOBS}/{quote(job_id, safe='')}"


def submission(options: Options | None, idempotency_key: str | None, webhook_url: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Fields and headers of a new job. There is always a key, so that one that is sent twice is done once."""
    fields = (options or Options()).fields() | ({"webhook_url": webhook_url} if webhook_url is not None else {})
    return fields, {"Idempotency-Key": idempotency_key or secrets.token_urlsafe(24)}


def no_result(job: Job) -> NoResult | None:
    """Why there is no document of the job; None: there is one."""
    if job.has_result:
        return None
    if not job.is_over:
        return JobUnfinished(f"Job {job.job_id} is {job.state}: wait for it first.")
    if job.error is not None:
        return JobFailed(job.error.detail, job.error.code)
    return JobCancelled(f"Job {job.job_id} was cancelled.")


def unreachable(url: str, error: httpx.HTTPError) -> Unreachable:
    """No answer, in words. The error's own text is left out where it would only repeat its class."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return TimedOut(f"{url} was silent for too long ({type(error).__name__}).")
    what = str(error) or type(error).__name__
    return Unreachable(f"No answer from {url}: {what}. Is the service running there?")


def broken(error: Exception) -> BrokenOff:
    return BrokenOff(f"The service's answer broke off: {str(error) or type(error).__name__}.")


def refused(status: int, body: bytes, headers: httpx.Headers) -> Refused:
    """An answer that is not a success, as an error."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    code = problem.code or f"http_{status}"
    detail = problem.detail or problem.title or f"The service answered with HTTP status {status}."
    retry_after_s = problem.retry_after_s if problem.retry_after_s is not None else _whole_number(headers.get("retry-after"))
    return refusal(status, code)(
        detail, code=code, status=status, field=problem.field, retry_after_s=retry_after_s, request_id=problem.request_id
    )


def _whole_number(header: str | None) -> int | None:
    """None for whatever else it says: `Retry-After` may be a date, which is left to our own waiting."""
    return int(header) if header is not None and header.isascii() and header.isdecimal() else None


def check_events(headers: httpx.Headers) -> None:
    """Raises AnswerBroken for what is no stream of events."""
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if kind != "text/event-stream":
        raise AnswerBroken(f"The answer is no stream of events but {kind or 'nothing that has a name'}. Is this address the OCR service's?")


def page_total(headers: httpx.Headers) -> int | None:
    """How many pages a stream will have, as its head says."""
    return _whole_number(headers.get("ocr-pages"))


def decode(body: bytes, kind: type[_Answer]) -> _Answer:
    """Raises AnswerBroken."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise AnswerBroken(f"The answer is not what this client knows: {error}. Is this address the OCR service's?") from None


class _JobList(msgspec.Struct):
    jobs: tuple[Job, ...]
    next_cursor: str | None


class Listing:
    """The jobs that the service lists, answer by answer: ask for `path` while there is one, and feed what comes."""

    LONGEST = 200

    def __init__(self, state: str | None, limit: int | None) -> None:
        """Raises ValueError for a limit below 1."""
        if limit is not None and limit < 1:
            raise ValueError("limit must be 1 or more")
        self._state = state
        self._left = limit
        self.path: str | None = self._path_after(None)

    def feed(self, body: bytes) -> tuple[Job, ...]:
        """The jobs of one answer. Raises AnswerBroken."""
        answer = decode(body, _JobList)
        if self._left is not None:
            self._left -= len(answer.jobs)
        is_last = answer.next_cursor is None or self._left == 0
        self.path = None if is_last else self._path_after(answer.next_cursor)
        return answer.jobs

    def _path_after(self, cursor: str | None) -> str:
        limit = self.LONGEST if self._left is None else min(self._left, self.LONGEST)
        asked = {"limit": limit, "state": self._state, "cursor": cursor}
        return f"{JOBS}?{urlencode({name: value for name, value in asked.items() if value is not None})}"


class Lines:
    """Bytes as they come, cut into lines. Only \\n ends a line: a text may hold the other characters that Python takes for line ends."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that the chunk completes."""
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            whole = b"".join((*self._parts, line))
            self._parts.clear()
            yield whole
        if rest:
            self._parts.append(rest)


class PageLines:
    """The lines of a stream of pages: what each means, and how the stream ended."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._summary: Summary | None = None

    def feed(self, chunk: bytes) -> Iterator[Page]:
        """The pages that the chunk completes. Raises Refused if the service says that it failed, AnswerBroken."""
        for line in self._lines.feed(chunk):
            page = self._page(line)
            if page is not None:
                yield page

    @property
    def summary(self) -> Summary:
        """Raises AnswerBroken if the stream has not ended as it should."""
        if self._summary is None:
            raise BrokenOff("The service's answer ended before the document did; the service may have been stopped.")
        return self._summary

    def _page(self, line: bytes) -> Page | None:
        if not line.strip():
            return None
        closing = decode(line, _Closing)
        if closing.page is not None:
            return decode(line, Page)
        if bytes(closing.error):
            problem = decode(bytes(closing.error), _Problem)
            raise refused(problem.status, bytes(closing.error), httpx.Headers())
        self._summary = decode(bytes(closing.summary), Summary)
        return None
