"""Page workers without a process: what goes wrong, and how long it takes, is said beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Upright


def analysis_of(page: int, options: PageOptions) -> PageAnalysis:
    block = Block("b1", LayoutLabel.TEXT, BBox(0, 0, 10, 10), 0, f"page {page}", Source.OCR)
    return PageAnalysis(page, options.dpi, Upright(100, 100), TextLayerVerdict(used=False, reason="no text"), (block,))


class FakeWorkers:
    """Implements `domain.ports.PageWorkers`. A document is named by its file name.

    `page_counts`, `unreadable` (by document), `failing` (by document and page) say what happens; a page waits while it is in `held`
    (of any document). `begun` lists what was begun, in order; `peak` is the most that ran at once.
    """

    engine = "fake engine"

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity
        self.page_counts: dict[str, int] = {}
        self.unreadable: dict[str, Exception] = {}
        self.failing: dict[tuple[str, int], Exception] = {}
        self.write_error: Exception | None = None
        self.warnings: tuple[str, ...] = ()
        self.held: set[tuple[str, int]] = set()
        self.opening_held: set[str] = set()
        self.begun: list[tuple[str, int]] = []
        self.written: list[tuple[list[str], Path]] = []
        self.running = 0
        self.peak = 0
        self._changed = asyncio.Condition()

    async def release(self) -> None:
        """Let everything go that is held."""
        self.held.clear()
        self.opening_held.clear()
        async with self._changed:
            self._changed.notify_all()

    async def let_go(self, document: str, page: int) -> None:
        """Let one page go."""
        self.held.discard((document, page))
        async with self._changed:
            self._changed.notify_all()

    async def inspect(self, source: SourceFile) -> DocumentInfo:
        assert source.path.exists()
        with _Running(self):
            await asyncio.sleep(0)
            while source.filename in self.opening_held:
                await self._something_released()
        if error := self.unreadable.get(source.filename):
            raise error
        return DocumentInfo(self.page_counts[source.filename], self.warnings)

    async def analyse(self, source: SourceFile, page: int, options: PageOptions) -> tuple[PageAnalysis, int]:
        key = (source.filename, page)
        self.begun.append(key)
        with _Running(self):
            await asyncio.sleep(0)
            while key in self.held:
                await self._something_released()
        if error := self.failing.get(key):
            raise error
        return analysis_of(page, options), 1

    async def write_searchable_pdf(self, source: SourceFile, pages: Sequence[Path], target: Path) -> None:
        with _Running(self):
            await asyncio.sleep(0)
        if self.write_error is not None:
            raise self.write_error
        target.write_bytes(b"%PDF")  # noqa: ASYNC240  a test's file
        self.written.append(([path.name for path in pages], target))

    async def _something_released(self) -> None:
        async with self._changed:
            await self._changed.wait()


class _Running:
    def __init__(self, workers: FakeWorkers) -> None:
        self._workers = workers

    def __enter__(self) -> None:
        self._workers.running += 1
        self._workers.peak = max(self._workers.peak, self._workers.running)

    def __exit__(self, *_: object) -> None:
        self._workers.running -= 1
