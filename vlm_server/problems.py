"""Everything that can go wrong with a request, and its application/problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

RETRY_AFTER_S = 5


class Problem(Exception):
    """A request that gets no answer. `code` is stable and for programs, `detail` is for people."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail

    def body(self) -> dict[str, Any]:
        return {"type": "about:blank", "title": self.status.phrase, "status": int(self.status), "code": self.code, "detail": self.detail}

    def response(self) -> JSONResponse:
        headers = {"Retry-After": str(RETRY_AFTER_S)} if self.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return JSONResponse(self.body(), self.status, headers, media_type="application/problem+json")


def invalid(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "invalid_request", detail)


def bad_image(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "bad_image", detail)


def too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)


def unsupported(detail: str) -> Problem:
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)


def engine_unavailable() -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "engine_unavailable", "The model cannot answer now; try again later.")


def overloaded() -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "Too many requests are waiting; try again later.")
