"""The client for programs with an event loop: `client.py` with `async`; what the two share is in `wire.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import httpx

from ocr_service.client import wire
from ocr_service.client.errors import ClientError
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

    async def document(self, document_id: str) -> Document:
        """A finished document."""
        return wire.decode(await self._get(wire.document_path(document_id)), Document)

    async def markdown(self, document_id: str) -> str:
        """A finished document's Markdown."""
        return (await self._get(wire.file_path(document_id, "document.md"))).decode()

    async def download(self, document_id: str, name: str, target: str | Path | BinaryIO) -> None:
        """Get a file by its path in `outputs` or `images/…`; a target on disk appears whole or not at all. Raises OSError, too."""
        if not isinstance(target, str | Path):
            await self._download(document_id, name, target)
            return
        with whole_file(Path(target)) as stream:
            await self._download(document_id, name, stream)

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
        response = await self._answer(lambda: self._http.build_request("GET", wire.file_path(document_id, name)))
        try:
            async for chunk in response.aiter_bytes():
                target.write(chunk)
        except httpx.HTTPError as error:
            raise wire.broken(error) from error
        finally:
            await response.aclose()

    async def _get(self, path: str, also: int = 200) -> bytes:
        response = await self._answer(lambda: self._http.build_request("GET", path), also)
        try:
            return await response.aread()
        except httpx.HTTPError as error:
            raise wire.broken(error) from error
        finally:
            await response.aclose()

    async def _answer(self, build: Callable[[], httpx.Request], also: int = 200) -> httpx.Response:
        """The head of a good answer; its body is to be read and closed. `also`: a status that is as good as success."""
        attempts = Attempts(self._patience)
        while True:
            try:
                return await self._once(build(), also)
            except ClientError as error:
                wait_s = attempts.wait_after(error)
                if wait_s is None:
                    raise
                if self._on_wait is not None:
                    self._on_wait(error, wait_s)
                await asyncio.sleep(wait_s)

    async def _once(self, request: httpx.Request, also: int) -> httpx.Response:
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._url, error) from error
        if response.is_success or response.status_code == also:
            return response
        try:
            body = await response.aread()
        except httpx.HTTPError:
            body = b""
        finally:
            await response.aclose()
        raise wire.refused(response.status_code, body, response.headers)
