"""What surrounds every request: its id, its line in the log, and the net under errors that nobody expected."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocr_service.api.logs import bind_request_id
from ocr_service.api.problems import CLIENT_CLOSED_REQUEST

log = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"

# A client's own id is kept if it cannot be mistaken for anything else in a log.
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestFrame:
    """ASGI middleware around the whole application, its own error handling included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        bind_request_id(request_id)
        answer = _Answer(send, request_id)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            # The client has its problem already (api/problems.py), or half an answer that cannot be mended.
            log.exception("unexpected error", extra={"path": scope["path"]})
        finally:
            _log_access(scope, answer, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex


class _Answer:
    """Watches what is sent."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.status = CLIENT_CLOSED_REQUEST  # stays if the task is cancelled before it answers
        self.body_bytes = 0
        self._send = send
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
        elif message["type"] == "http.response.body":
            self.body_bytes += len(message.get("body", b""))
        await self._send(message)


def _log_access(scope: Scope, answer: _Answer, seconds: float) -> None:
    level = logging.DEBUG if scope["path"].startswith(("/health", "/metrics")) else logging.INFO
    log.log(
        level,
        "request",
        extra={
            "method": scope["method"],
            "path": scope["path"],
            "status": answer.status,
            "ms": round(seconds * 1000, 1),
            "bytes": answer.body_bytes,
            **({"key": owner} if (owner := scope.get("state", {}).get("owner")) else {}),
        },
    )
