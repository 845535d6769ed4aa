"""One document: sent, watched, and its result fetched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath
from typing import BinaryIO

from ocr_service.cli.inputs import Source, sha256_of
from ocr_service.cli.progress import Progress, Track
from ocr_service.cli.results_folder import ResultsFolder, new_record
from ocr_service.client import AsyncClient, ClientError, Options, PasswordRequired, Summary, TimedOut, Unreachable

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


@dataclass(slots=True)
class _Read:
    """What the stream of pages told."""

    summary: Summary
    pages: int = 0
    images: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts documents of one run."""

    client: AsyncClient
    options: Options
    progress: Progress

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
            read = await self._read(file, source.relative.name, track)
            outcome = _outcome(source, None, read, asyncio.get_running_loop().time() - began)
            await self.client.download(read.summary.document_id, "result.json" if as_json else "document.md", out)
        except ClientError as error:
            outcome = _failed(source, error)
        self.progress.done(track, outcome.line)
        return outcome

    async def _to_folder(self, source: Source, file: Path, name: PurePath, folder: ResultsFolder, track: Track, *, force: bool) -> Outcome:
        began = asyncio.get_running_loop().time()
        sha256 = await asyncio.to_thread(sha256_of, file)
        options = self.options.recorded()
        if not force:
            if await asyncio.to_thread(folder.is_done, name, sha256, options):
                return Outcome(source, Ending.SKIPPED, folder.markdown(name))
            if await asyncio.to_thread(folder.has_foreign_files, name):
                detail = f"{folder.markdown(name)} or a file beside it is not this command's; --force replaces it"
                return Outcome(source, Ending.FAILED, error=("exists", detail))
        with folder.stage() as stage:
            read = await self._read(file, source.relative.name, track)
            document_id = read.summary.document_id
            await self.client.download(document_id, "result.json", stage.json)
            await self.client.download(document_id, "document.md", stage.markdown)
            for path in (*read.images, *_extras(read.summary)):
                target = _below(stage.files, path)
                await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
                await self.client.download(document_id, path, target)
            record = new_record(source, sha256, options, document_id, read.summary.failed_pages)
            await asyncio.to_thread(folder.put, name, stage, record)
        return _outcome(source, folder.markdown(name), read, asyncio.get_running_loop().time() - began)

    async def _read(self, file: Path, name: str, track: Track) -> _Read:
        pages = 0
        images: list[str] = []
        async with self.client.read(file, self.options, name=name) as reading:
            if reading.page_total is not None:
                track.total(reading.page_total)
            async for page in reading:
                pages += 1
                images += [f"images/{image}" for image in page.images]
                track.page()
        return _Read(reading.summary, pages, images)


def _extras(summary: Summary) -> list[str]:
    return [path for output, path in summary.outputs.items() if output not in _KEPT_APART]


def _below(folder: Path, path: str) -> Path:
    """The service is trusted with documents, not with this machine's files. Raises OSError."""
    if path.startswith("/") or ".." in PurePath(path).parts or "\0" in path:
        raise OSError(f"the service named a file outside of the document's folder: {path!r}")
    return folder / path


def _outcome(source: Source, target: Path | None, read: _Read, seconds: float) -> Outcome:
    ending = Ending.PARTIAL if read.summary.partial else Ending.COMPLETE
    return Outcome(source, ending, target, read.pages, read.summary.failed_pages, seconds)


def _failed(source: Source, error: ClientError | OSError) -> Outcome:
    """Raises the error again if it is not the document's."""
    if isinstance(error, Unreachable) and not isinstance(error, TimedOut):
        raise error
    if isinstance(error, PasswordRequired):
        return Outcome(source, Ending.FAILED, error=(error.code, _ENCRYPTED))
    if isinstance(error, ClientError):
        return Outcome(source, Ending.FAILED, error=(error.code, error.detail))
    return Outcome(source, Ending.FAILED, error=("file", f"{error.strerror or error}"))
