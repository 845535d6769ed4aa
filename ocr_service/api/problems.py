"""Errors as RFC 9457 problem+json. The only place that knows which error has which HTTP status."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from ocr_service.api.errors import ClientGone, KeyMissing, MalformedBody, NotMultipart, TooManyRequests, UploadStalled
from ocr_service.api.logs import current_request_id
from ocr_service.api.wire import Problem
from ocr_service.domain import errors

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
CLIENT_CLOSED_REQUEST = 499

# Looked up along the error's base classes, so a child without an entry of its own is answered like its parent.
_STATUSES: dict[type[Exception], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    KeyMissing: HTTPStatus.UNAUTHORIZED,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    UploadStalled: HTTPStatus.REQUEST_TIMEOUT,
    NotMultipart: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UploadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.DocumentUnreadable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyPages: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.DocumentNotFound: HTTPStatus.NOT_FOUND,
    errors.Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ShuttingDown: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DocumentCancelled: HTTPStatus.CONFLICT,
    errors.DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
    errors.StorageFailed: HTTPStatus.INSUFFICIENT_STORAGE,
}

_UNEXPECTED = "The service failed in a way that it does not know. Its log tells more under this request_id."


def status_of(error: Exception) -> HTTPStatus:
    """The HTTP status of an error: that of the nearest known class among its bases, else 500."""
    for kind in type(error).__mro__:
        if kind in _STATUSES:
            return _STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of(error: Exception) -> Problem:
    """The body that tells a client about an error. Whatever is not a known ServiceError gets a fixed text."""
    status = status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(error, errors.ServiceError):
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", _UNEXPECTED)
    problem = _problem(status, error.code, error.detail)
    if isinstance(error, errors.InvalidRequest):
        problem.field = error.field
    if isinstance(error, errors.Overloaded | errors.ShuttingDown | TooManyRequests):
        problem.retry_after_s = error.retry_after_s
    return problem


def _problem(status: HTTPStatus, code: str, detail: str) -> Problem:
    return Problem(
        type=f"urn:ocr-service:problem:{code}",
        title=status.phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=current_request_id(),
    )


def problem_response(problem: Problem) -> Response:
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return Response(problem.to_json(), status_code=problem.status, headers=headers, media_type=PROBLEM_TYPE)


async def _answer_service_error(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    log.info("refused", extra={"code": problem.code, "detail": problem.detail, "status": problem.status, "path": request.url.path})
    return problem_response(problem)


async def _answer_router_error(_request: Request, error: Exception) -> Response:
    """404, 405 and the like, which the router itself raises."""
    assert isinstance(error, StarletteHTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_").replace("-", "_")
    response = problem_response(_problem(status, code, f"{status.description or status.phrase}."))
    response.headers.update(error.headers or {})
    return response


async def _answer_validation_error(_request: Request, error: Exception) -> Response:
    """A parameter that FastAPI itself refused."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem_response(problem_of(errors.InvalidRequest(str(first["msg"]), field=str(first["loc"][-1]))))


async def _answer_client_gone(_request: Request, _error: Exception) -> Response:
    """Nobody reads this; the status is for the access log."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _answer_unexpected(_request: Request, error: Exception) -> Response:
    return problem_response(problem_of(error))


def install(app: FastAPI) -> None:
    """Every error that leaves a route becomes a problem."""
    app.add_exception_handler(errors.ServiceError, _answer_service_error)
    app.add_exception_handler(ClientGone, _answer_client_gone)
    app.add_exception_handler(StarletteHTTPException, _answer_router_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(Exception, _answer_unexpected)
