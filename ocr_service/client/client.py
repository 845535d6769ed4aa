"""The client for programs without an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import httpx

from ocr_service.client import wire
from ocr_service.client.errors import BrokenOff, ClientError
from ocr_service.client.following import SILENCE_S, Following
from ocr_service.client.jobs import Job, JobChanged, PageFinished
from ocr_service.client.options import Options
from ocr_service.client.results import Document, Health, Page, Ready, Summary, Version
from ocr_service.client.retries import Attempts, Patience
from ocr_service.client.wholly import whole_file


class Reading:
    """A document that is being read: iterate over its pages as they finish, in any order; then it has a summary."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._lines = wire.PageLines()
        self.page_total = wire.page_total(response.headers)
        """How many pages will come; None where the service does not say."""

    def __iter__(self) -> Iterator[Page]:
        """Once. Raises Refused, AnswerBroken."""
        try:
            for chunk in self._response.iter_bytes():
                yield from self._lines.feed(chunk)
        except httpx.HTTPError as error:
            raise wire.broken(error) from error

    @property
    def summary(self) -> Summary:
        """The document, when all its pages have come. Raises AnswerBroken before."""
        return self._lines.summary


class Client:
    """A service at `url`. Every call raises ClientError; one Client may be used by several threads.

    `timeout_s`: the longest silence that is borne, in seconds; between two pages of `read` and `convert` it can be long. `on_wait` hears
    why and for how many seconds a request waits before it is sent again.
    """

    def __init__(
        self,
        url: str = "http://localhost:8081",
        *,
        api_key: str | None = None,
        timeout_s: float = 600.0,
        patience: Patience | None = None,
        on_wait: Callable[[ClientError, float], None] | None = None,
    ) -> None:
        """Raises ValueError for an impossible address or key."""
        self._url = url
        self._http = httpx.Client(**wire.client_arguments(url, api_key, timeout_s))
        self._patience = patience or Patience()
        self._on_wait = on_wait
        self._silence_s = min(timeout_s, SILENCE_S)
        self._known = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def convert(
        self,
        file: wire.File,
        options: Options | None = None,
        *,
        name: str | None = None,
        on_page: Callable[[Page], None] | None = None,
    ) -> Document:
        """Have a document read; `on_page` gets each page as it finishes. `name`: the document's, instead of the file's."""
        with self.read(file, options, name=name) as reading:
            for page in reading:
                if on_page is not None:
                    on_page(page)
        return self.document(reading.summary.document_id)

    @contextmanager
    def read(self, file: wire.File, options: Options | None = None, *, name: str | None = None) -> Iterator[Reading]:
        """Send a document, from disk and never whole in memory, and get its pages as they finish. Leaving the block stops the work."""
        fields = (options or Options()).fields()
        with wire.opened(file, name) as upload:
            response = self._answer(
                lambda: self._http.build_request("POST", "/ocr/pdf", data=fields, files={"file": upload}, headers=wire.NDJSON)
            )
            try:
                yield Reading(response)
            finally:
                response.close()

    def submit(
        self,
        file: wire.File,
        options: Options | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        webhook_url: str | None = None,
    ) -> Job:
        """Hand a document in as a job. The same key with the same file and options is the same job; without one, a new one is made up, so
        that nothing is done twice when the connection breaks and the file is sent again.
        """
        fields, headers = wire.submission(options, idempotency_key, webhook_url)
        with wire.opened(file, name) as upload:
            body = self._whole(
                lambda: self._http.build_request("POST", wire.JOBS, data=fields, files={"file": upload}, headers=headers), repeatable=True
            )
        return wire.decode(body, Job)

    def job(self, job_id: str) -> Job:
        """A job as it is now. Raises NotFound for one that has expired."""
        return wire.decode(self._get(wire.job_path(job_id), repeatable=True), Job)

    def jobs(self, state: str | None = None, limit: int | None = None) -> Iterator[Job]:
        """The jobs of this API key, newest first, asked for as they are needed. `limit`: no more than so many."""
        listing = wire.Listing(state, limit)
        while listing.path is not None:
            yield from listing.feed(self._get(listing.path, repeatable=True))

    def cancel(self, job_id: str) -> Job:
        """Stop a job; one that is over stays as it is."""
        path = wire.job_path(job_id)
        return wire.decode(self._whole(lambda: self._http.build_request("DELETE", path), repeatable=True), Job)

    def events(self, job_id: str, last_event_id: int = 0) -> Iterator[JobChanged | PageFinished]:
        """A job as it goes on, to its end: the job when it has changed, and each page once, from the one after the `last_event_id`-th on.

        When the connection breaks or the service restarts, it is taken up again, for `Patience.away_s` without a word.
        """
        following = Following(job_id, last_event_id)
        attempts = Attempts(self._patience, repeatable=True)
        while not following.is_over:
            try:
                for chunk in self._chunks(following):
                    attempts.heard()
                    yield from following.feed(chunk)
                if not following.is_over:
                    raise BrokenOff("The events ended before the job did; the service may have been stopped.")
            except ClientError as error:
                self._wait(attempts, error)

    def wait(self, job_id: str, *, on_page: Callable[[Page], None] | None = None) -> Job:
        """The job when it is over, however it ended; `on_page` gets each page as it finishes, those finished already first."""
        for happening in self.events(job_id):
            if isinstance(happening, PageFinished):
                if on_page is not None:
                    on_page(happening.page)
            elif happening.job.is_over:
                return happening.job
        raise AssertionError("events end with the job")

    def result(self, job_id: str) -> Document:
        """A job's document. Raises JobFailed, JobCancelled, JobUnfinished; NotFound for one that has expired."""
        why_not = wire.no_result(self.job(job_id))
        if why_not is not None:
            raise why_not
        return self.document(job_id)

    def document(self, document_id: str) -> Document:
        """A finished document."""
        return wire.decode(self._get(wire.document_path(document_id), repeatable=True), Document)

    def markdown(self, document_id: str) -> str:
        """A finished document's Markdown."""
        return self._get(wire.file_path(document_id, "document.md"), repeatable=True).decode()

    def download(self, document_id: str, name: str, target: str | Path | BinaryIO) -> None:
        """Get a file by its path in `outputs` or `images/…`; a target on disk appears whole or not at all. Raises OSError, too."""
        if not isinstance(target, str | Path):
            self._download(document_id, name, target)
            return
        attempts = Attempts(self._patience, repeatable=True)
        while True:
            try:
                with whole_file(Path(target)) as stream:
                    self._download(document_id, name, stream)
            except BrokenOff as error:
                self._wait(attempts, error)
            else:
                return

    def health(self) -> Health:
        """The service's own truth, an unhealthy one's too."""
        return wire.decode(self._get("/health", also=503), Health)

    def ready(self) -> Ready:
        """Whether it accepts documents."""
        return wire.decode(self._get("/health/ready", also=503), Ready)

    def version(self) -> Version:
        """What runs there."""
        return wire.decode(self._get("/version"), Version)

    def _download(self, document_id: str, name: str, target: BinaryIO) -> None:
        path = wire.file_path(document_id, name)
        with closing(self._answer(lambda: self._http.build_request("GET", path), repeatable=True)) as response:
            try:
                for chunk in response.iter_bytes():
                    target.write(chunk)
            except httpx.HTTPError as error:
                raise wire.broken(error) from error

    def _chunks(self, following: Following) -> Iterator[bytes]:
        """What comes on one connection."""
        path, headers = following.request()
        timeout = httpx.Timeout(self._silence_s, connect=min(wire.CONNECT_S, self._silence_s))
        with closing(self._once(self._http.build_request("GET", path, headers=headers, timeout=timeout))) as response:
            wire.check_events(response.headers)
            try:
                yield from response.iter_bytes()
            except httpx.HTTPError as error:
                raise wire.broken(error) from error

    def _get(self, path: str, also: int = 200, *, repeatable: bool = False) -> bytes:
        return self._whole(lambda: self._http.build_request("GET", path), also, repeatable=repeatable)

    def _whole(self, build: Callable[[], httpx.Request], also: int = 200, *, repeatable: bool) -> bytes:
        """A good answer's body."""
        attempts = Attempts(self._patience, repeatable=repeatable)
        while True:
            try:
                with closing(self._once(build(), also)) as response:
                    return response.read()
            except httpx.HTTPError as error:
                self._wait(attempts, wire.broken(error))
            except ClientError as error:
                self._wait(attempts, error)

    def _answer(self, build: Callable[[], httpx.Request], also: int = 200, *, repeatable: bool = False) -> httpx.Response:
        """The head of a good answer; its body is to be read and closed. `also`: a status that is as good as success."""
        attempts = Attempts(self._patience, repeatable=repeatable)
        while True:
            try:
                return self._once(build(), also)
            except ClientError as error:
                self._wait(attempts, error)

    def _wait(self, attempts: Attempts, error: ClientError) -> None:
        """Until the request is sent again. Raises the error if it is not."""
        wait_s = attempts.wait_after(error, known=self._known)
        if wait_s is None:
            raise error
        if self._on_wait is not None:
            self._on_wait(error, wait_s)
        time.sleep(wait_s)

    def _once(self, request: httpx.Request, also: int = 200) -> httpx.Response:
        try:
            response = self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._url, error) from error
        self._known = True
        if response.is_success or response.status_code == also:
            return response
        try:
            body = response.read()
        except httpx.HTTPError:
            body = b""
        finally:
            response.close()
        raise wire.refused(response.status_code, body, response.headers)
