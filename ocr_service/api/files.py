"""A file from disk as an answer, piece by piece, with the headers that make a stored file harmless in a browser."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from urllib.parse import quote

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from ocr_service.api.disconnect import send_within, unless_gone
from ocr_service.api.errors import ClientGone

log = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024

# Shown in the browser; everything else is offered as a download. Nothing that can carry a script is here: PDF viewers run JavaScript,
# and a stored upload is a stranger's file.
_INLINE = {"application/json", "text/markdown", "text/csv", "image/png", "image/jpeg", "image/webp"}
_UTF8 = {"text/markdown", "text/csv"}


class FileAnswer(Response):
    """The file as it is now; removed meanwhile, it is still sent whole. Given up when the client goes or reads nothing for `idle_s`."""

    def __init__(self, path: Path, media_type: str, *, idle_s: float, headers: dict[str, str] | None = None) -> None:
        """Raises OSError if the file cannot be opened."""
        self._file = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size
        self._idle_s = idle_s
        disposition = "inline" if media_type in _INLINE else "attachment"
        super().__init__(
            media_type=f"{media_type}; charset=utf-8" if media_type in _UTF8 else media_type,
            headers={
                "Content-Length": str(self._size),
                "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(path.name, safe='')}",
                "Content-Security-Policy": "sandbox; default-src 'none'",
                "Cache-Control": "private, no-store",
                **(headers or {}),
            },
        )

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await unless_gone(receive, self._send(send))
        except ClientGone:
            log.info("client gone in the middle of its answer")
        finally:
            self._file.close()

    async def _send(self, send: Send) -> None:
        await send_within(self._idle_s, send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # The last piece is announced as the last: a client that has all of it may close the connection, and is not gone too early.
        left = self._size
        while left > 0 and (chunk := await asyncio.to_thread(self._file.read, CHUNK_BYTES)):
            left -= len(chunk)
            await send_within(self._idle_s, send, {"type": "http.response.body", "body": chunk, "more_body": left > 0})
        if left > 0 or self._size == 0:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
