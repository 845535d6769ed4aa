"""One document: read, and its result fetched."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import BinaryIO

from ocr_service.cli.inputs import Source, sha256_of
from ocr_service.cli.progress import Progress, Track
from ocr_service.cli.reading import Read, Reader
from ocr_service.cli.results_folder import ResultsFolder, Stage, new_record
from ocr_service.client import ClientError, Summary, TimedOut, Unreachable
from ocr_service.client.wire import decode

_KEPT_APART = {"json", "markdown", "source"}
"""Outputs that go elsewhere than into `name.files/`, or nowhere: the source is here already."""

_ENCRYPTED = "The PDF is encrypted, and no or a wrong password was given: --password asks for it, --password-file and OCR_PASSWORD give it"


class Ending(StrEnum):
    """How a document's conversion ended."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document. `target`: its Markdown on disk; `error`: a code and what is wrong and what to do."""

    source: Source
    ending: Ending
    target: Path | None = None
    pages: int = 0
    failed_pages: tuple[int, ...] = ()
    seconds: float = 0.0
    error: tuple[str, str] | None = None

    @property
    def line(self) -> str:
        """For people."""
        where = f" → {self.target}" if self.target is not None else ""
        if self.error is not None:
            return f"✗ {self.source.shown}: {self.error[1]} ({self.error[0]})"
        if self.ending is Ending.SKIPPED:
            return f"= {self.source.shown}: converted already{where}"
        pages = f"{self.pages} page{'' if self.pages == 1 else 's'} in {self.seconds:.1f} s"
        if self.ending is Ending.PARTIAL:
            return f"! {self.source.shown}: {pages}, could not be read: {', '.join(map(str, self.failed_pages))}{where}"
        return f"✓ {self.source.shown}: {pages}{where}"


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts documents of one run. `resumable`: jobs of an earlier run are gone on with, and left for the next one."""

    reader: Reader
    progress: Progress
    resumable: bool

    async def to_folder(self, source: Source, file: Path, name: PurePath, folder: ResultsFolder, *, force: bool) -> Outcome:
        """Into DIR. `file`: where the document's bytes lie. Raises Unreachable; every other failure is the document's own."""
        track = self.progress.document(source.shown)
        try:
            outcome = await self._to_folder(source, file, name, folder, track, force=force)
        except (ClientError, OSError) as error:
            outcome = _failed(source, error)
        self.progress.done(track, outcome.line)
        return outcome

    async def to_stream(self, source: Source, file: Path, out: BinaryIO, *, as_json: bool) -> Outcome:
        """To standard output. Raises Unreachable, and OSError if the output is gone."""
        track = self.progress.document(source.shown)
        began = asyncio.get_running_loop().time()
        try:
            read = await self.reader.read(file, source.relative.name, track)
            outcome = _outcome(source, None, read, asyncio.get_running_loop().time() - began)
            await self._copy(read.document_id, "result.json" if as_json else "document.md", out)
        except ClientError as error:
            outcome = _failed(source, error)
        self.progress.done(track, outcome.line)
        return outcome

    async def _copy(self, document_id: str, name: str, out: BinaryIO) -> None:
        """By way of the disk: an answer that breaks off can then be asked for again, and nothing of it was written."""
        with tempfile.TemporaryDirectory(prefix="ocr-service-") as folder:
            file = Path(folder) / "result"
            await self.reader.client.download(document_id, name, file)
            with file.open("rb") as content:
                shutil.copyfileobj(content, out)

    async def _to_folder(self, source: Source, file: Path, name: PurePath, folder: ResultsFolder, track: Track, *, force: bool) -> Outcome:
        began = asyncio.get_running_loop().time()
        sha256 = await asyncio.to_thread(sha256_of, file)
        options = self.reader.options.recorded()
        if not force:
            if await asyncio.to_thread(folder.is_done, name, sha256, options):
                return Outcome(source, Ending.SKIPPED, folder.markdown(name))
            if await asyncio.to_thread(folder.has_foreign_files, name):
                detail = f"{folder.markdown(name)} or a file beside it is not this command's; --force replaces it"
                return Outcome(source, Ending.FAILED, error=("exists", detail))
        tickets = folder.ticket(name)
        if self.resumable:
            if force:
                await self.reader.give_up(tickets)
            read = await self.reader.read_once(file, source.relative.name, track, tickets, sha256)
        else:
            read = await self.reader.read(file, source.relative.name, track)
        with folder.stage() as stage:
            await self._fetch(read, stage)
            record = new_record(source, sha256, options, read.document_id, tuple(read.failed_pages))
            await asyncio.to_thread(folder.put, name, stage, record)
        await asyncio.to_thread(tickets.drop)
        return _outcome(source, folder.markdown(name), read, asyncio.get_running_loop().time() - began)

    async def _fetch(self, read: Read, stage: Stage) -> None:
        download = self.reader.client.download
        await download(read.document_id, "result.json", stage.json)
        await download(read.document_id, "document.md", stage.markdown)
        summary = decode(await asyncio.to_thread(stage.json.read_bytes), Summary)
        for path in (*read.images, *_extras(summary)):
            target = _below(stage.files, path)
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            await download(read.document_id, path, target)


def _extras(summary: Summary) -> list[str]:
    return [path for output, path in summary.outputs.items() if output not in _KEPT_APART]


def _below(folder: Path, path: str) -> Path:
    """The service is trusted with documents, not with this machine's files. Raises OSError."""
    if path.startswith("/") or ".." in PurePath(path).parts or "\0" in path:
        raise OSError(f"the service named a file outside of the document's folder: {path!r}")
    return folder / path


def _outcome(source: Source, target: Path | None, read: Read, seconds: float) -> Outcome:
    ending = Ending.PARTIAL if read.failed_pages else Ending.COMPLETE
    return Outcome(source, ending, target, read.pages, tuple(read.failed_pages), seconds)


def _failed(source: Source, error: ClientError | OSError) -> Outcome:
    """Raises the error again if it is not the document's."""
    if isinstance(error, Unreachable) and not isinstance(error, TimedOut):
        raise error
    if isinstance(error, ClientError):
        return Outcome(source, Ending.FAILED, error=(error.code, _ENCRYPTED if error.code == "password_required" else error.detail))
    return Outcome(source, Ending.FAILED, error=("file", f"{error.strerror or error}"))
