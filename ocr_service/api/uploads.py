"""Uploads: from the socket to a file in OUTPUT_DIR, with a byte limit, hashed and recognised on the way, never whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import threading
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi import Request

from ocr_service.api.errors import ClientGone, UploadStalled
from ocr_service.api.multipart import FormReader, boundary_of
from ocr_service.api.sniff import SNIFF_BYTES, media_type_of
from ocr_service.domain.documents import MediaType, SourceFile
from ocr_service.domain.errors import InvalidRequest, UnsupportedMedia, UploadTooLarge
from ocr_service.outputs.atomic import storage_errors

FORM_OVERHEAD_BYTES = 1024 * 1024
"""What a body may hold beside the file: boundaries, part headers, fields."""

PROGRESS_BYTES = 64 * 1024
"""A client that sends less than this in the idle time counts as silent, else one byte a minute would hold a place for ever."""

_WRITE_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """`max_bytes` of the file; `idle_s`: the longest silence of a client."""

    max_bytes: int
    idle_s: float


@dataclass(frozen=True, slots=True)
class Upload:
    """A form as it arrived: the file (without a password, which is a field), and the fields in their order."""

    source: SourceFile
    fields: tuple[tuple[str, str], ...]


class UploadFolder:
    """Where uploads lie until the store moves them: inside OUTPUT_DIR, so that moving is a rename."""

    def __init__(self, output_dir: Path) -> None:
        self.output_dir = output_dir
        self.path = output_dir / ".uploads"

    def prepare(self, *, stale_s: float) -> None:
        """Make the folder, and remove what a crash left in it: what nobody wrote to for `stale_s` seconds. Raises OSError.

        By age, because another replica may share OUTPUT_DIR and be in the middle of its uploads.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for left in self.path.glob("*.part"):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - stale_s:
                    left.unlink()

    @asynccontextmanager
    async def receive(self, request: Request, known_fields: Collection[str], limits: UploadLimits) -> AsyncIterator[Upload]:
        """The upload of a request; its file is gone afterwards, unless it was moved.

        Raises NotMultipart, MalformedBody, InvalidRequest, UploadTooLarge, UnsupportedMedia, UploadStalled, StorageFailed, ClientGone.
        """
        reader = FormReader(boundary_of(request.headers.get("content-type")), known_fields)
        _check_announced_size(request, limits)
        sink = _FileSink(self.path / f"{secrets.token_hex(16)}.part", limits.max_bytes)
        try:
            media_type = await _copy(_body(request, limits), reader, sink)
            assert reader.filename is not None
            yield Upload(
                SourceFile(sink.path, media_type, reader.filename, sink.sha256(), sink.size),
                tuple(reader.fields),
            )
        finally:
            await asyncio.shield(asyncio.to_thread(sink.discard))


def _check_announced_size(request: Request, limits: UploadLimits) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.max_bytes + FORM_OVERHEAD_BYTES:
        raise _too_large(limits.max_bytes)


def _too_large(max_bytes: int) -> UploadTooLarge:
    return UploadTooLarge(f"The file is larger than {max_bytes / 2**20:g} MiB, the most that this service accepts.")


async def _body(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    """The body's pieces, as long as the client keeps sending and stays below the limit."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.idle_s
    received = progress = 0
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                message = await request.receive()
        except TimeoutError:
            raise UploadStalled(f"The upload stood still for {limits.idle_s:g} seconds.") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        received += len(piece)
        progress += len(piece)
        if received > limits.max_bytes + FORM_OVERHEAD_BYTES:
            raise _too_large(limits.max_bytes)
        if progress >= PROGRESS_BYTES:
            progress, deadline = 0, loop.time() + limits.idle_s
        yield piece
        if not message.get("more_body", False):
            return


async def _copy(body: AsyncIterator[bytes], reader: FormReader, sink: _FileSink) -> MediaType:
    """Write the file's bytes, in batches, outside the event loop; give up as soon as its first bytes are of no known type."""
    pending: list[bytes] = []
    pending_bytes = 0
    async for piece in body:
        for part in reader.feed(piece):
            pending.append(part)
            pending_bytes += len(part)
        if pending_bytes >= _WRITE_BATCH_BYTES:
            await sink.write(pending)
            pending, pending_bytes = [], 0
            _media_type(sink)
    reader.close()
    await sink.write(pending)
    sink.close()
    return _media_type(sink)


def _media_type(sink: _FileSink) -> MediaType:
    if not sink.size:
        raise InvalidRequest("The file is empty.", field="file")
    media_type = media_type_of(sink.head)
    if media_type is None:
        raise UnsupportedMedia("The file is not a PDF, PNG, JPEG, WebP or TIFF (its first bytes say so; its name does not matter).")
    return media_type


class _FileSink:
    """The file on disk, its hash, its size, its first bytes. A lock keeps `discard` from closing it under a writing thread."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    async def write(self, pieces: Sequence[bytes]) -> None:
        """Raises UploadTooLarge, StorageFailed."""
        self.size += sum(map(len, pieces))
        if self.size > self._max_bytes:
            raise _too_large(self._max_bytes)
        data = b"".join(pieces)
        if len(self.head) < SNIFF_BYTES:
            self.head += data[: SNIFF_BYTES - len(self.head)]
        with storage_errors():
            await asyncio.to_thread(self._append, data)

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        with self._lock:
            if self._file is None:
                self._file = self.path.open("xb", buffering=0)
            rest = memoryview(data)
            while rest:  # an unbuffered write may take less than it was given
                rest = rest[self._file.write(rest) :]
            self._hash.update(data)
