"""The client for programs with an event loop: `client.py` with `async`; what the two share is in `wire.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
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


class AsyncReading:
    """A document that is being read: iterate over its pages as they finish, in any order; then it has a summary."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._lines = wire.PageLines()
        self.page_total = wire.page_total(response.headers)
        """How many pages will come; None where the service does not say."""

    async def __aiter__(self) -> AsyncIterator[Page]:
        """Once. Raises Refused, AnswerBroken."""
        try:
            async for chunk in self._response.aiter_bytes():
                for page in self._lines.feed(chunk):
                    yield page
        except httpx.HTTPError as error:
            raise wire.broken(error) from error

    @property
    def summary(self) -> Summary:
        """The document, when all its pages have come. Raises AnswerBroken before."""
        return self._lines.summary


class AsyncClient:
    """A service at `url`. Every call raises ClientError. The arguments are those of `Client`."""

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
        self._http = httpx.AsyncClient(**wire.client_arguments(url, api_key, timeout_s))
        self._patience = patience or Patience()
        self._on_wait = on_wait
        self._silence_s = min(timeout_s, SILENCE_S)
        self._known = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def convert(
        self,
        file: wire.File,
        options: Options | None = None,
        *,
        name: str | None = None,
        on_page: Callable[[Page], None] | None = None,
    ) -> Document:
        """Have a document read; `on_page` gets each page as it finishes. `name`: the document's, instead of the file's."""
        async with self.read(file, options, name=name) as reading:
            async for page in reading:
                if on_page is not None:
                    on_page(page)
        return await self.document(reading.summary.document_id)

    @asynccontextmanager
    async def read(self, file: wire.File, options: Options | None = None, *, name: str | None = None) -> AsyncIterator[AsyncReading]:
        """Send a document, from disk and never whole in memory, and get its pages as they finish. Leaving the block stops the work."""
        fields = (options or Options()).fields()
        with wire.opened(file, name) as upload:
            response = await self._answer(
                lambda: self._http.build_request("POST", "/ocr/pdf", data=fields, files={"file": upload}, headers=wire.NDJSON)
            )
            try:
                yield AsyncReading(response)
            finally:
                await response.aclose()

    async def submit(
        self,
        file: wire.File,
        options: Options | None = None,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        webhook_url: str | None = None,
    ) -> Job:
        """Hand a document in as a job."""
        fields, headers = wire.submission(options, idempotency_key, webhook_url)
        with wire.opened(file, name) as upload:
            body = await self._whole(
                lambda: self._http.build_request("POST", wire.JOBS, data=fields, files={"file": upload}, headers=headers), repeatable=True
            )
        return wire.decode(body, Job)

    async def job(self, job_id: str) -> Job:
        """A job as it is now. Raises NotFound for one that has expired."""
        return wire.decode(await self._get(wire.job_path(job_id), repeatable=True), Job)

    async def jobs(self, state: str | None = None, limit: int | None = None) -> AsyncGenerator[Job]:
        """The jobs of this API key, newest first, asked for as they are needed. `limit`: no more than so many."""
        listing = wire.Listing(state, limit)
        while listing.path is not None:
            for job in listing.feed(await self._get(listing.path, repeatable=True)):
                yield job

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; one that is over stays as it is."""
        path = wire.job_path(job_id)
        return wire.decode(await self._whole(lambda: self._http.build_request("DELETE", path), repeatable=True), Job)

    async def events(self, job_id: str, last_event_id: int = 0) -> AsyncGenerator[JobChanged | PageFinished]:
        """A job as it goes on, to its end. Who leaves early closes it: `contextlib.aclosing`."""
        following = Following(job_id, last_event_id)
        attempts = Attempts(self._patience, repeatable=True)
        while not following.is_over:
            try:
                async with aclosing(self._chunks(following)) as chunks:
                    async for chunk in chunks:
                        attempts.heard()
                        for happening in following.feed(chunk):
                            yield happening
                if not following.is_over:
                    raise BrokenOff("The events ended before the job did; the service may have been stopped.")
            except ClientError as error:
                await self._wait(attempts, error)

    async def wait(self, job_id: str, *, on_page: Callable[[Page], None] | None = None) -> Job:
        """The job when it is over, however it ended; `on_page` gets each page as it finishes, those finished already first."""
        async with aclosing(self.events(job_id)) as happenings:
            async for happening in happenings:
                if isinstance(happening, PageFinished):
                    if on_page is not None:
                        on_page(happening.page)
                elif happening.job.is_over:
                    return happening.job
        raise AssertionError("events end with the job")

    async def result(self, job_id: str) -> Document:
        """A job's document. Raises JobFailed, JobCancelled, JobUnfinished; NotFound for one that has expired."""
        why_not = wire.no_result(await self.job(job_id))
        if why_not is not None:
            raise why_not
        return await self.document(job_id)

    async def document(self, document_id: str) -> Document:
        """A finished document."""
        return wire.decode(await self._get(wire.document_path(document_id), repeatable=True), Document)

    async def markdown(self, document_id: str) -> str:
        """A finished document's Markdown."""
        return (await self._get(wire.file_path(document_id, "document.md"), repeatable=True)).decode()

    async def download(self, document_id: str, name: str, target: str | Path | BinaryIO) -> None:
        """Get a file by its path in `outputs` or `images/…`; a target on disk appears whole or not at all. Raises OSError, too."""
        if not isinstance(target, str | Path):
            await self._download(document_id, name, target)
            return
        attempts = Attempts(self._patience, repeatable=True)
        while True:
            try:
                with whole_file(Path(target)) as stream:
                    await self._download(document_id, name, stream)
            except BrokenOff as error:
                await self._wait(attempts, error)
            else:
                return

    async def health(self) -> Health:
        """The service's own truth, an unhealthy one's too."""
        return wire.decode(await self._get("/health", also=503), Health)

    async def ready(self) -> Ready:
        """Whether it accepts documents."""
        return wire.decode(await self._get("/health/ready", also=503), Ready)

    async def version(self) -> Version:
        """What runs there."""
        return wire.decode(await self._get("/version"), Version)

    async def _download(self, document_id: str, name: str, target: BinaryIO) -> None:
        path = wire.file_path(document_id, name)
        async with _closing(await self._answer(lambda: self._http.build_request("GET", path), repeatable=True)) as response:
            try:
                async for chunk in response.aiter_bytes():
                    target.write(chunk)
            except httpx.HTTPError as error:
                raise wire.broken(error) from error

    async def _chunks(self, following: Following) -> AsyncGenerator[bytes]:
        """What comes on one connection."""
        path, headers = following.request()
        timeout = httpx.Timeout(self._silence_s, connect=min(wire.CONNECT_S, self._silence_s))
        async with _closing(await self._once(self._http.build_request("GET", path, headers=headers, timeout=timeout))) as response:
            wire.check_events(response.headers)
            try:
                async for chunk in response.aiter_bytes():
                    yield chunk
            except httpx.HTTPError as error:
                raise wire.broken(error) from error

    async def _get(self, path: str, also: int = 200, *, repeatable: bool = False) -> bytes:
        return await self._whole(lambda: self._http.build_request("GET", path), also, repeatable=repeatable)

    async def _whole(self, build: Callable[[], httpx.Request], also: int = 200, *, repeatable: bool) -> bytes:
        """A good answer's body."""
        attempts = Attempts(self._patience, repeatable=repeatable)
        while True:
            try:
                async with _closing(await self._once(build(), also)) as response:
                    return await response.aread()
            except httpx.HTTPError as error:
                await self._wait(attempts, wire.broken(error))
            except ClientError as error:
                await self._wait(attempts, error)

    async def _answer(self, build: Callable[[], httpx.Request], also: int = 200, *, repeatable: bool = False) -> httpx.Response:
        """The head of a good answer; its body is to be read and closed. `also`: a status that is as good as success."""
        attempts = Attempts(self._patience, repeatable=repeatable)
        while True:
            try:
                return await self._once(build(), also)
            except ClientError as error:
                await self._wait(attempts, error)

    async def _wait(self, attempts: Attempts, error: ClientError) -> None:
        """Until the request is sent again. Raises the error if it is not."""
        wait_s = attempts.wait_after(error, known=self._known)
        if wait_s is None:
            raise error
        if self._on_wait is not None:
            self._on_wait(error, wait_s)
        await asyncio.sleep(wait_s)

    async def _once(self, request: httpx.Request, also: int = 200) -> httpx.Response:
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._url, error) from error
        self._known = True
        if response.is_success or response.status_code == also:
            return response
        try:
            body = await response.aread()
        except httpx.HTTPError:
            body = b""
        finally:
            await response.aclose()
        raise wire.refused(response.status_code, body, response.headers)


@asynccontextmanager
async def _closing(response: httpx.Response) -> AsyncIterator[httpx.Response]:
    try:
        yield response
    finally:
        await response.aclose()
