"""A document as JSON: `result.json`, written as a stream from the files of its folder, and the same without its pages as a summary."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import msgspec

from ocr_service.domain.documents import (
    DocumentOptions,
    DocumentResult,
    DocumentStatus,
    MediaType,
    OutputKind,
    RemoteStatus,
    TextLayerMode,
    VlmPolicy,
)
from ocr_service.domain.text import printable
from ocr_service.outputs.atomic import storage_errors, whole_file

_FILES = "/ocr/documents/{document_id}/files/{path}"
_CHUNK = 1 << 16
_PAGES_FOLLOW = b',"pages":[\n'


class OptionsJson(msgspec.Struct, frozen=True):
    """What was asked for. There is no password here, and never will be."""

    pages: list[int] | None
    dpi: int
    lang: str
    text_layer: TextLayerMode
    outputs: list[OutputKind]
    use_vlm: bool
    vlm_policy: VlmPolicy
    include_running: bool


class S3Json(msgspec.Struct, frozen=True):
    """The copy in S3; `urls` is empty while it is pending."""

    status: RemoteStatus
    location: str
    urls: dict[str, str]


class DocumentJson(msgspec.Struct, frozen=True):
    """A document without its pages. `result.json` has `pages` and `markdown` after these keys."""

    document_id: str
    filename: str
    sha256: str
    media_type: MediaType
    size_bytes: int
    status: DocumentStatus
    page_count: int
    failed_pages: list[int]
    created_at: str | None
    engine: str
    options: OptionsJson
    outputs: dict[str, str]
    urls: dict[str, str]
    s3: S3Json | None
    timings: dict[str, float]
    warnings: list[str]


def encode_summary(result: DocumentResult) -> bytes:
    """The document without its pages and its Markdown: the last line of a page stream. One line, without a line end."""
    return msgspec.json.encode(_document(result))


def write_result_json(result: DocumentResult, page_files: Iterable[Path], markdown: Path, target: Path) -> None:
    """Write `result.json`: the summary's keys, then `pages` (the bytes of the page files), then `markdown` (the text of `document.md`).

    Takes the memory of one page. Raises StorageFailed.
    """
    with whole_file(target) as temporary, temporary.open("wb") as file:
        file.write(encode_summary(result).removesuffix(b"}"))
        file.write(_PAGES_FOLLOW)
        for number, page_file in enumerate(page_files):
            file.write((b",\n" if number else b"") + page_file.read_bytes())
        file.write(b'\n],"markdown":"')
        _write_text(file, markdown)
        file.write(b'"}\n')


def rewrite_summary(result_json: Path, target: Path, change: Callable[[DocumentJson], DocumentJson]) -> DocumentJson:
    """Write `result.json` anew to `target` with its summary changed; `pages` and `markdown` are copied as they are.

    Returns the new summary and takes the memory of it. Raises StorageFailed, and msgspec.DecodeError for any other kind of file.
    """
    with whole_file(target) as temporary, result_json.open("rb") as old, temporary.open("wb") as new:
        summary = change(_first_line(old))
        new.write(msgspec.json.encode(summary).removesuffix(b"}") + _PAGES_FOLLOW)
        shutil.copyfileobj(old, new, _CHUNK)
    return summary


def read_summary(result_json: Path) -> DocumentJson:
    """A finished document without its pages; takes the memory of that. Raises StorageFailed, and msgspec.DecodeError for any other file."""
    with storage_errors(), result_json.open("rb") as file:
        return _first_line(file)


def _first_line(file: BinaryIO) -> DocumentJson:
    # The summary is the first line: `write_result_json` breaks the line after it and nowhere within.
    return msgspec.json.decode(file.readline().removesuffix(_PAGES_FOLLOW) + b"}", type=DocumentJson)


def _write_text(file: BinaryIO, text_file: Path) -> None:
    """The text as the inside of a JSON string, chunk by chunk."""
    with text_file.open(encoding="utf-8", newline="") as text:
        while chunk := text.read(_CHUNK):
            file.write(msgspec.json.encode(chunk)[1:-1])


def _document(result: DocumentResult) -> DocumentJson:
    source = result.source
    return DocumentJson(
        document_id=result.document_id,
        filename=printable(source.filename),
        sha256=source.sha256,
        media_type=source.media_type,
        size_bytes=source.size_bytes,
        status=result.status,
        page_count=result.page_count,
        failed_pages=list(result.failed_pages),
        created_at=_utc(result.created_at) if result.created_at else None,
        engine=result.engine,
        options=_options(result.options),
        outputs=result.outputs,
        urls={name: _url(result.document_id, path) for name, path in result.outputs.items()},
        s3=S3Json(result.remote.status, result.remote.location, result.remote.urls) if result.remote else None,
        timings={name: round(seconds, 3) for name, seconds in result.timings.items()},
        warnings=[printable(warning) for warning in result.warnings],
    )


def _utc(moment: datetime) -> str:
    """ISO 8601, "2024-04-03T12:00:00Z"."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _options(options: DocumentOptions) -> OptionsJson:
    return OptionsJson(
        pages=None if options.pages is None else list(options.pages),
        dpi=options.page.dpi,
        lang=options.page.lang,
        text_layer=options.page.text_layer,
        outputs=sorted(options.outputs),
        use_vlm=options.use_vlm,
        vlm_policy=options.page.vlm_policy,
        include_running=options.include_running,
    )


def _url(document_id: str, path: str) -> str:
    return _FILES.format(document_id=quote(document_id), path=quote(path))
