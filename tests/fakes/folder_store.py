"""A document store in a folder, without the care for crashes that makes the real one slow; what goes wrong is said beforehand."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from ocr_service.domain.documents import DocumentResult, PageError, PageResult, SourceFile
from ocr_service.domain.errors import StorageFailed


class FolderStore:
    """Implements `domain.ports.DocumentStore`. `full_at_page`: writing that page fails; `writing_held`: writing waits for `go_on`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders: list[Folder] = []
        self.create_error: StorageFailed | None = None
        self.finish_error: StorageFailed | None = None
        self.discard_error: StorageFailed | None = None
        self.full_at_page: int | None = None
        self.go_on = asyncio.Event()
        self.writing_held = False
        self.writing = 0

    async def create(self, source: SourceFile, *, include_running: bool = False, document_id: str | None = None) -> Folder:
        await asyncio.sleep(0)
        if self.create_error is not None:
            raise self.create_error
        folder = Folder(self, self.root / (document_id or f"document{len(self.folders)}"), include_running=include_running)
        self.folders.append(folder)
        (folder.path / "pages").mkdir(parents=True)
        source.path.replace(folder.path / f"source{source.media_type.suffix}")
        return folder

    async def reopen(self, document_id: str, *, include_running: bool = False) -> Folder:
        await asyncio.sleep(0)
        folder = Folder(self, self.root / document_id, include_running=include_running)
        self.folders.append(folder)
        return folder


class Folder:
    """Implements `domain.ports.DocumentFolder`; a page's JSON is "page N ok" or "page N and its error's code"."""

    def __init__(self, store: FolderStore, path: Path, *, include_running: bool) -> None:
        self._store = store
        self.path = path
        self.include_running = include_running
        self.written: list[int] = []
        self.result: DocumentResult | None = None
        self.discarded = False

    @property
    def document_id(self) -> str:
        return self.path.name

    async def write_page(self, result: PageResult) -> bytes:
        self._store.writing += 1
        await asyncio.sleep(0)
        if self._store.writing_held:
            await self._store.go_on.wait()
        self._store.writing -= 1
        if result.page == self._store.full_at_page:
            raise StorageFailed("There is no space left.")
        body = f"page {result.page} {result.error.code if result.error else 'ok'}".encode()
        (self.path / "pages" / f"{result.page:04d}.json").write_bytes(body)
        self.written.append(result.page)
        return body

    def page_files(self) -> Iterator[Path]:
        yield from sorted((self.path / "pages").iterdir())

    async def kept_pages(self) -> AsyncIterator[PageResult]:
        """What "page N ok" says, from an earlier Folder of the same path."""
        for path in self.page_files():
            _, page, outcome = path.read_text().split()
            yield PageResult(int(page), error=None if outcome == "ok" else PageError(outcome, "It failed before."))

    async def finish(self, result: DocumentResult) -> DocumentResult:
        await asyncio.sleep(0)
        if self._store.finish_error is not None:
            raise self._store.finish_error
        self.result = replace(result, outputs={"json": "result.json"})
        return self.result

    async def discard(self) -> None:
        await asyncio.sleep(0)
        self.discarded = True
        if self._store.discard_error is not None:
            raise self._store.discard_error
        shutil.rmtree(self.path)
