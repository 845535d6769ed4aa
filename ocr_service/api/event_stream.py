"""Server-sent events as an answer (WHATWG HTML, §9.2): kept alive by a comment, given up when the client goes or reads nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from ocr_service.api.disconnect import send_within, unless_gone
from ocr_service.api.errors import ClientGone
from ocr_service.domain.errors import ServiceError

log = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE_S = 15.0


def event(kind: str, data: bytes, number: int | None = None) -> bytes:
    """One event; `data` is one line."""
    head = f"event: {kind}\n" + (f"id: {number}\n" if number is not None else "")
    return head.encode() + b"data: " + data.strip() + b"\n\n"


class EventStream(Response):
    """Sends events as they come."""

    def __init__(self, events: AsyncGenerator[bytes, None], *, idle_s: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self._events = events
        self._idle_s = idle_s

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await unless_gone(receive, self._send(send))
        except ClientGone:
            log.info("client gone in the middle of its events")

    async def _send(self, send: Send) -> None:
        await send_within(self._idle_s, send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._events):
            try:
                await self._send_events(send)
            except ServiceError as error:
                # Half a stream is a stream that is taken up again.
                log.info("events broke off", extra={"code": error.code})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_events(self, send: Send) -> None:
        coming: asyncio.Task[bytes] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(self._events))
                done, _ = await asyncio.wait({coming}, timeout=KEEP_ALIVE_S)
                if not done:
                    await self._send_piece(send, b":\n\n")
                    continue
                try:
                    piece = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                await self._send_piece(send, piece)
        finally:
            if coming is not None and not coming.done():
                coming.cancel()
                await asyncio.wait({coming})

    async def _send_piece(self, send: Send, piece: bytes) -> None:
        await send_within(self._idle_s, send, {"type": "http.response.body", "body": piece, "more_body": True})
