"""The answer as NDJSON: one line a page as it finishes, then `{"summary": …}`; what goes wrong on the way is the line `{"error": …}`."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from ocr_service.api.disconnect import send_within, unless_gone
from ocr_service.api.errors import ClientGone
from ocr_service.api.negotiation import AnswerKind
from ocr_service.api.problems import problem_of
from ocr_service.domain.errors import ServiceError

log = logging.getLogger(__name__)


class PageStream(Response):
    """Sends lines as they come; nothing is sent before the first, so that what fails until then is answered with its own status.

    When the client goes, or reads nothing for `idle_s` seconds, `lines` is closed. `release` is called in any case.
    """

    def __init__(
        self,
        lines: AsyncGenerator[bytes, None],
        *,
        headers: dict[str, str],
        idle_s: float,
        release: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(headers={**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type=AnswerKind.NDJSON)
        del self.headers["content-length"]
        self._lines = lines
        self._idle_s = idle_s
        self._release = release
        self._started = False

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await unless_gone(receive, self._send_lines(send))
        except ClientGone:
            if not self._started:
                raise
            log.info("client gone in the middle of its answer")
        finally:
            await self._release()

    async def _send_lines(self, send: Send) -> None:
        async with aclosing(self._lines) as lines:
            try:
                async for line in lines:
                    await self._send_line(send, line)
            except ClientGone:
                raise
            except Exception as error:
                if not self._started:
                    raise
                await self._send_line(send, _last_words(error))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_line(self, send: Send, line: bytes) -> None:
        if not self._started:
            self._started = True
            await send_within(self._idle_s, send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send_within(self._idle_s, send, {"type": "http.response.body", "body": line + b"\n", "more_body": True})


def _last_words(error: Exception) -> bytes:
    if not isinstance(error, ServiceError):
        log.error("unexpected error in the middle of an answer", exc_info=error)
    return b'{"error":' + problem_of(error).to_json() + b"}"
