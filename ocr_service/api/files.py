"""A file from disk as an answer, piece by piece, with the headers that make a stored file harmless in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from fastapi.responses import StreamingResponse

CHUNK_BYTES = 256 * 1024

# Shown in the browser; everything else is offered as a download. Nothing that can carry a script is here: PDF viewers run JavaScript,
# and a stored upload is a stranger's file.
_INLINE = {"application/json", "text/markdown", "text/csv", "image/png", "image/jpeg", "image/webp"}
_UTF8 = {"text/markdown", "text/csv"}


def file_answer(path: Path, media_type: str, *, headers: dict[str, str] | None = None) -> StreamingResponse:
    """The file as it is now. Raises OSError if it cannot be opened; a file removed meanwhile is still sent whole."""
    file = path.open("rb")
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    disposition = "inline" if media_type in _INLINE else "attachment"
    return StreamingResponse(
        _chunks(file),
        media_type=f"{media_type}; charset=utf-8" if media_type in _UTF8 else media_type,
        headers={
            "Content-Length": str(size),
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(path.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
            **(headers or {}),
        },
    )


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
