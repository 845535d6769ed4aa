"""A pipeline and an archive without workers or a store, for tests of the HTTP side alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import (
    DocumentOptions,
    DocumentResult,
    DocumentStatus,
    PageAnalysis,
    PageResult,
    SourceFile,
    StoredFile,
    TextLayerVerdict,
)
from ocr_service.domain.errors import DocumentNotFound, ServiceError
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.domain.jobs import Job, JobState
from ocr_service.jobs.record import Terms
from ocr_service.jobs.service import FinishedPage
from ocr_service.outputs.document_json import write_result_json
from ocr_service.outputs.page_json import encode_page
from ocr_service.workers.stats import PoolStats

DOCUMENT_ID = "fake-document"


def pool_stats(**changes: object) -> PoolStats:
    calm = PoolStats(2, 2, 0, 0, {"crashed": 1}, {41: 1000, 42: 2000}, None, "fake engine", {"pymupdf": "2.0"})
    return replace(calm, **changes)  # type: ignore[arg-type]


def page_result(page: int) -> PageResult:
    block = Block("b1", LayoutLabel.TEXT, BBox(0, 0, 10, 10), 0, f"Страница {page}", Source.TEXT_LAYER)
    verdict = TextLayerVerdict(used=True, reason="trusted")
    return PageResult(page, PageAnalysis(page, 200, Upright(100, 200), verdict, (block,), timings={"read": 0.25}))


class FakeDocuments:
    """Answers every document with `page_count` pages; what is set in the attributes goes wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page_count = 2
        self.refusal: Exception | None = None
        self.start_error: Exception | None = None
        self.page_error: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.places_taken = 0
        self.started: list[tuple[SourceFile, DocumentOptions, bytes]] = []
        self.working = asyncio.Event()
        self.cancelled = asyncio.Event()

    @contextmanager
    def place(self) -> Iterator[None]:
        if isinstance(self.refusal, ServiceError):
            raise self.refusal
        self.places_taken += 1
        try:
            yield
        finally:
            self.places_taken -= 1

    async def start(self, source: SourceFile, options: DocumentOptions) -> FakeJourney:
        self.started.append((source, options, source.path.read_bytes()))
        if self.start_error is not None:
            raise self.start_error
        return FakeJourney(self, source, options)


class FakeJobs:
    """Only what POST /ocr/pdf needs of jobs; jobs themselves are tested with the real parts."""

    def __init__(self, documents: FakeDocuments) -> None:
        self._documents = documents

    async def attached(self, source: SourceFile, options: DocumentOptions, owner: str) -> FakeJourney:
        return await self._documents.start(source, options)

    async def submit(self, source: SourceFile, options: DocumentOptions, terms: Terms) -> tuple[Job, bool]:
        raise NotImplementedError

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        raise NotImplementedError

    async def page(self, owner: str, limit: int, after: tuple[float, str] | None, state: JobState | None) -> list[Job]:
        raise NotImplementedError

    async def cancel(self, job_id: str, owner: str) -> Job:
        raise NotImplementedError

    def events(self, job_id: str, after: int) -> AsyncGenerator[Job | FinishedPage, None]:
        raise NotImplementedError


class FakeJourney:
    document_id = DOCUMENT_ID

    def __init__(self, documents: FakeDocuments, source: SourceFile, options: DocumentOptions) -> None:
        self._documents = documents
        self._source = source
        self._options = options

    @property
    def pages_asked(self) -> int:
        return self._documents.page_count

    async def aclose(self) -> None:
        pass

    async def pages(self) -> AsyncGenerator[tuple[PageResult, bytes], None]:
        for page in range(1, self._documents.page_count + 1):
            if page == 2 and self._documents.page_error is not None:
                raise self._documents.page_error
            result = page_result(page)
            yield result, encode_page(result)
            await self._wait()

    async def result(self) -> DocumentResult:
        await self._wait()
        if self._documents.page_error is not None:
            raise self._documents.page_error
        pages = tuple(range(1, self._documents.page_count + 1))
        result = DocumentResult(
            document_id=DOCUMENT_ID,
            source=self._source,
            options=self._options,
            status=DocumentStatus.COMPLETE,
            page_count=len(pages),
            pages=pages,
            failed_pages=(),
            engine="fake engine",
            outputs={"json": "result.json", "markdown": "document.md"},
            created_at=datetime(2024, 4, 3, tzinfo=UTC),
        )
        self._write(result)
        return result

    async def _wait(self) -> None:
        self._documents.working.set()
        try:
            if self._documents.gate is not None:
                await self._documents.gate.wait()
        except asyncio.CancelledError:
            self._documents.cancelled.set()
            raise

    def _write(self, result: DocumentResult) -> None:
        folder = self._documents.folder
        files = []
        for page in result.pages:
            files.append(folder / f"{page:04}.json")
            files[-1].write_bytes(encode_page(page_result(page)))
        (folder / "document.md").write_text("Страница 1\n", encoding="utf-8")
        write_result_json(result, files, folder / "document.md", folder / "result.json")


class FakeArchive:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.media_types = {".json": "application/json", ".md": "text/markdown", ".pdf": "application/pdf"}

    def file(self, document_id: str, name: str) -> StoredFile:
        path = self._folder / Path(name).name
        if document_id != DOCUMENT_ID or not path.is_file():
            raise DocumentNotFound("There is no such document or file.")
        return StoredFile(name, path, self.media_types[path.suffix], path.stat().st_size)
