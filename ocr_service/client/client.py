"""The client for programs without an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

    `timeout_s`: the longest silence that is borne, in seconds; between two pages of a busy service it can be long. `on_wait` hears why and
    for how many seconds a request waits before it is sent again.
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

    def document(self, document_id: str) -> Document:
        """A finished document."""
        return wire.decode(self._get(wire.document_path(document_id)), Document)

    def markdown(self, document_id: str) -> str:
        """A finished document's Markdown."""
        return self._get(wire.file_path(document_id, "document.md")).decode()

    def download(self, document_id: str, name: str, target: str | Path | BinaryIO) -> None:
        """Get a file by its path in `outputs` or `images/…`; a target on disk appears whole or not at all. Raises OSError, too."""
        if not isinstance(target, str | Path):
            self._download(document_id, name, target)
            return
        with whole_file(Path(target)) as stream:
            self._download(document_id, name, stream)

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
        response = self._answer(lambda: self._http.build_request("GET", wire.file_path(document_id, name)))
        try:
            for chunk in response.iter_bytes():
                target.write(chunk)
        except httpx.HTTPError as error:
            raise wire.broken(error) from error
        finally:
            response.close()

    def _get(self, path: str, also: int = 200) -> bytes:
        response = self._answer(lambda: self._http.build_request("GET", path), also)
        try:
            return response.read()
        except httpx.HTTPError as error:
            raise wire.broken(error) from error
        finally:
            response.close()

    def _answer(self, build: Callable[[], httpx.Request], also: int = 200) -> httpx.Response:
        """The head of a good answer; its body is to be read and closed. `also`: a status that is as good as success."""
        attempts = Attempts(self._patience)
        while True:
            try:
                return self._once(build(), also)
            except ClientError as error:
                wait_s = attempts.wait_after(error)
                if wait_s is None:
                    raise
                if self._on_wait is not None:
                    self._on_wait(error, wait_s)
                time.sleep(wait_s)

    def _once(self, request: httpx.Request, also: int) -> httpx.Response:
        try:
            response = self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise wire.unreachable(self._url, error) from error
        if response.is_success or response.status_code == also:
            return response
        try:
            body = response.read()
        except httpx.HTTPError:
            body = b""
        finally:
            response.close()
        raise wire.refused(response.status_code, body, response.headers)
