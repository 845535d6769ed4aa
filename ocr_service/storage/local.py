"""Results in a local folder, one folder a document:

    OUTPUT_DIR/<document_id>/
        source.pdf  pages/0001.json …  images/p0001-b03.png …       while the document is read
        .order             the numbers of the pages in the order in which they were finished, a line each
        document.md  searchable.pdf  tables.xlsx  tables/p0003-t1.csv  result.json       when it is finished; result.json is last

Every file appears whole under its name or not at all; while it is written its name begins with a dot. A document exists for readers once
it has a `result.json`; until then only its pages and their pictures are served, one by one. Folders and files get the
permissions that the process's umask says, so that a volume can be shared by its group.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ocr_service.domain.documents import DocumentResult, OutputKind, PageResult, SourceFile, StoredFile
from ocr_service.domain.errors import StorageFailed
from ocr_service.outputs.atomic import remove_unfinished, storage_errors, whole_file, write_whole
from ocr_service.outputs.document_json import write_result_json
from ocr_service.outputs.document_markdown import write_document_markdown
from ocr_service.outputs.page_json import encode_page, read_page
from ocr_service.outputs.tables import write_tables
from ocr_service.storage.page_order import PageOrder, page_name
from ocr_service.storage.reading import (
    IMAGES,
    MARKDOWN,
    PAGES,
    RESULT,
    SEARCHABLE_PDF,
    TABLES,
    WORKBOOK,
    find_document,
    find_file,
    is_picture_name,
)

_ID_BYTES = 16


class LocalStore:
    """A DocumentStore in a folder, and the way back to what is stored."""

    def __init__(self, output_dir: Path) -> None:
        self._output_dir = output_dir

    async def create(self, source: SourceFile, *, include_running: bool = False, document_id: str | None = None) -> LocalFolder:
        """Raises StorageFailed; the upload is then where it was."""
        path = self._output_dir / (document_id or new_document_id())
        await asyncio.to_thread(_create, path, source)
        return LocalFolder(path, include_running=include_running)

    async def reopen(self, document_id: str, *, include_running: bool = False) -> LocalFolder:
        """Raises StorageFailed if there is no such folder."""
        path = self._output_dir / document_id
        if not await asyncio.to_thread(path.is_dir):
            raise StorageFailed("The document's folder is gone from OUTPUT_DIR.")
        folder = LocalFolder(path, include_running=include_running)
        await asyncio.to_thread(folder.mend)
        return folder

    def find(self, document_id: str) -> Path:
        """The folder of a finished document. Raises DocumentNotFound."""
        return find_document(self._output_dir, document_id)

    def file(self, document_id: str, name: str) -> StoredFile:
        """A file of a finished document, by its path in the folder. Raises DocumentNotFound."""
        return find_file(self._output_dir, document_id, name)


def new_document_id() -> str:
    """128 random bits as 26 small letters and digits."""
    return base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode("ascii").rstrip("=").lower()


def source_name(source: SourceFile) -> str:
    """The name of the upload in its document's folder; nothing of the client's file name is in it."""
    return f"source{source.media_type.suffix}"


def _create(path: Path, source: SourceFile) -> None:
    with storage_errors():
        path.mkdir(parents=True)
        try:
            for folder in (PAGES, IMAGES):
                (path / folder).mkdir()
            _move(source.path, path / source_name(source))
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError:
        # Another file system, most often. Whatever it was, a copy settles it or tells why not.
        with whole_file(target) as temporary:
            shutil.copyfile(source, temporary)
        source.unlink(missing_ok=True)


class LocalFolder:
    """One document's folder; a DocumentFolder. Pages may be written at the same time."""

    def __init__(self, path: Path, *, include_running: bool = False) -> None:
        self._path = path
        self._include_running = include_running
        self._order = PageOrder(path / PAGES)

    @property
    def document_id(self) -> str:
        return self._path.name

    @property
    def path(self) -> Path:
        return self._path

    async def write_page(self, result: PageResult) -> bytes:
        return await asyncio.to_thread(self._write_page, result)

    def page_files(self) -> Iterator[Path]:
        with storage_errors():
            pages = [path for path in (self._path / PAGES).glob("*.json") if path.stem.isdigit()]
        yield from sorted(pages, key=lambda path: int(path.stem))

    async def kept_pages(self) -> AsyncIterator[PageResult]:
        for page in await asyncio.to_thread(self._order.finished):
            with storage_errors():
                yield await asyncio.to_thread(read_page, self._path / PAGES / page_name(page))

    def mend(self) -> None:
        """Take into the order what a crash kept out of it, and remove what it left half-written. Blocks. Raises StorageFailed."""
        remove_unfinished(self._path)
        with storage_errors():
            self._order.mend()

    async def finish(self, result: DocumentResult) -> DocumentResult:
        return await asyncio.to_thread(self._finish, result)

    async def discard(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)

    def _write_page(self, result: PageResult) -> bytes:
        for picture in result.analysis.pictures if result.analysis else ():
            if not is_picture_name(picture.name):
                raise StorageFailed(f"A picture of page {result.page} has a name that is not allowed.")
            write_whole(self._path / IMAGES / picture.name, picture.data)
        data = encode_page(result, include_running=self._include_running)
        # Last, because a page that is on disk names pictures that are.
        write_whole(self._path / PAGES / page_name(result.page), data)
        with storage_errors():
            self._order.add(result.page)
        return data

    def _finish(self, result: DocumentResult) -> DocumentResult:
        write_document_markdown(self._read_pages(), self._path / MARKDOWN, include_running=result.options.include_running)
        outputs = {"json": RESULT, "markdown": MARKDOWN, "source": source_name(result.source)}
        if OutputKind.SEARCHABLE_PDF in result.options.outputs and (self._path / SEARCHABLE_PDF).is_file():
            outputs["searchable_pdf"] = SEARCHABLE_PDF
        if OutputKind.TABLES in result.options.outputs:
            outputs |= self._write_tables()
        finished = replace(result, outputs=outputs, created_at=result.created_at or datetime.now(UTC))
        write_result_json(finished, self.page_files(), self._path / MARKDOWN, self._path / RESULT)
        return finished

    def _write_tables(self) -> dict[str, str]:
        """The names and paths of what was written: nothing if the document has no table."""
        csv_files = write_tables(self._read_pages(), self._path / WORKBOOK, self._path / TABLES)
        written = {f"table_{path.stem}": f"{TABLES}/{path.name}" for path in csv_files}
        return {"tables_xlsx": WORKBOOK, **written} if written else {}

    def _read_pages(self) -> Iterator[PageResult]:
        return (read_page(path) for path in self.page_files())
