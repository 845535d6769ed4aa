"""What the pipeline needs from the outside. An implementation needs no base class.

An `async def` port must not block the event loop; a plain `def` port is called inside a page worker, where blocking is fine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ocr_service.domain.documents import (
    DocumentInfo,
    DocumentOptions,
    DocumentResult,
    PageAnalysis,
    PageOptions,
    PageResult,
    SourceFile,
)
from ocr_service.domain.vlm import Crop, Sampling, VlmAnswer, VlmTask


class PageEngine(Protocol):
    """Reads pages, inside a worker process that owns it alone. One engine, one process, one thread."""

    @property
    def name(self) -> str:
        """For people and for `engine` in the answer, e.g. "embedded (PP-OCRv6 small, Tesseract 5.5 rus)"."""

    def inspect(self, source: SourceFile) -> DocumentInfo:
        """Open the file. Raises DocumentUnreadable and its children."""

    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        """Read one page (from 1). Raises PageFailed and its children."""


class PageWorkers(Protocol):
    """The pool of page workers."""

    @property
    def capacity(self) -> int:
        """How many pages are read at the same time."""

    @property
    def engine(self) -> str:
        """The engine's name; empty until the first worker is ready."""

    async def inspect(self, source: SourceFile) -> DocumentInfo:
        """Open the file in a worker. Raises DocumentUnreadable and its children."""

    async def analyse(self, source: SourceFile, page: int, options: PageOptions) -> tuple[PageAnalysis, int]:
        """Read one page, with one retry in a fresh worker when a worker dies. Returns the analysis and the attempts made.

        Raises PageFailed and its children. Cancellation stops the work: the worker is replaced if it does not stop by itself.
        """

    async def write_searchable_pdf(self, source: SourceFile, pages: Sequence[Path], target: Path) -> None:
        """Lay the text of the page files (`pages/0001.json`) invisibly over the source. Raises DocumentUnreadable, StorageFailed."""


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page that was read before and is kept under `key`; finding out took `seconds`."""

    key: str
    seconds: float


class LookingWorkers(PageWorkers, Protocol):
    """Page workers that can tell a page that is kept already from one that has to be read."""

    async def look_or_analyse(
        self, source: SourceFile, page: int, options: PageOptions, folder: Path, salt: str
    ) -> tuple[PageAnalysis | KnownPage, int]:
        """As `analyse`, unless the page is in the folder of a PageCache. `salt`: what the pages there depend on beside the worker."""


class PageCache(Protocol):
    """Pages that were read before, by a key of all that they depend on. Never raises: without it pages are read, only slower."""

    @property
    def folder(self) -> Path:
        """Where a page worker sees whether a key is there."""

    async def load(self, key: str, page: int) -> PageAnalysis | None:
        """The page as number `page` of its new document; None if it cannot be had."""

    async def keep(self, key: str, analysis: PageAnalysis) -> None:
        """Keep a finished page."""

    def looked(self, *, found: bool) -> None:
        """A page was looked for."""


class DocumentFolder(Protocol):
    """One document's place in OUTPUT_DIR. Every write is atomic; OSError becomes StorageFailed."""

    @property
    def document_id(self) -> str:
        """Cannot be guessed; names the folder."""

    @property
    def path(self) -> Path:
        """The folder itself."""

    async def write_page(self, result: PageResult) -> bytes:
        """Write `images/*` and `pages/0001.json`; returns the page's JSON, the same bytes as in the file and in the answer."""

    def page_files(self) -> Iterator[Path]:
        """The page files written so far, in page order."""

    def kept_pages(self) -> AsyncIterator[PageResult]:
        """The pages that an earlier start of the document finished, one at a time, in the order in which they were finished."""

    async def finish(self, result: DocumentResult) -> DocumentResult:
        """Write `document.md`, `tables.xlsx`/CSV if asked, `result.json` last; returns the result with `outputs` filled in."""

    async def discard(self) -> None:
        """Remove the folder: the document was refused before its first page."""


class DocumentStore(Protocol):
    """Where results are kept."""

    async def create(self, source: SourceFile, *, include_running: bool = False, document_id: str | None = None) -> DocumentFolder:
        """A fresh folder; the upload is moved into it as `source.<ext>`. `include_running`: of the request, for the pages' Markdown;
        `document_id`: the folder's name, if it was given away before; a new one if not.
        """

    async def reopen(self, document_id: str, *, include_running: bool = False) -> DocumentFolder:
        """The folder of a document that was begun before. Raises StorageFailed if it is gone."""


class RegionReader(Protocol):
    """The VLM server. Limits its own concurrency; a call waits for its place."""

    async def read(self, crop: Crop, task: VlmTask, sampling: Sampling) -> VlmAnswer:
        """Ask about one region. Raises VlmUnavailable (not there, broken or too slow) and VlmRefused (it does not take this crop).

        Cancellation reaches the server: the generation stops.
        """


class PageRefiner(Protocol):
    """Asks the VLM about the blocks that need it. Never raises: what fails is marked in the block."""

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:
        """The page as it is kept, without its questions. Cancellation takes back what was asked."""


class Observer(Protocol):
    """Hears what happens, for metrics and the log. Never raises, never blocks."""

    def page_finished(self, document_id: str, result: PageResult, seconds: float) -> None:
        """A page is done, well or badly; `seconds` from its start in a worker to its result on disk."""

    def document_finished(self, document_id: str, outcome: str, pages_done: int, pages_asked: int, seconds: float) -> None:
        """A document is over. `outcome`: complete | partial | failed | cancelled | refused."""

    def worker_replaced(self, reason: str) -> None:
        """A page worker was renewed. `reason`: recycled | crashed | timed_out | out_of_memory | cancelled."""
