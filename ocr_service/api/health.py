"""Health, readiness, liveness and version: read from a snapshot, so they answer in milliseconds whatever the load."""

from __future__ import annotations

import platform
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ocr_service import __version__
from ocr_service.api.parts import parts_of
from ocr_service.api.wire import Health, Live, Ready, Version, Wire

router = APIRouter(tags=["service"])

_NOT_NOW: dict[int | str, dict[str, object]] = {503: {"description": "Not able to serve."}}


def _answer(body: Wire, *, ok: bool) -> Response:
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Response(body.model_dump_json(), status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/health", response_model=Health, responses={503: {"model": Health, "description": "The service cannot read documents now."}})
async def health(request: Request) -> Response:
    """The state of the service and of what it depends on. 200 while it can serve (degraded included), else 503."""
    monitor = parts_of(request).monitor
    body = monitor.health()
    return _answer(body, ok=body.status != "unhealthy")


@router.get("/health/live", response_model=Live)
async def live() -> Response:
    """200 as long as the process answers at all: for a liveness probe."""
    return _answer(Live(status="alive"), ok=True)


@router.get("/health/ready", response_model=Ready, responses={503: {"model": Ready, "description": "No documents now, and why."}})
async def ready(request: Request) -> Response:
    """200 while documents are accepted: for a readiness probe."""
    reasons = parts_of(request).monitor.obstacles()
    return _answer(Ready(status="not_ready" if reasons else "ready", reasons=reasons), ok=not reasons)


@router.get("/version", response_model=Version)
async def version(request: Request) -> Response:
    """Versions of the service, its engine and its main libraries."""
    stats = parts_of(request).pool_stats()
    body = Version(service=__version__, python=platform.python_version(), engine=stats.engine, libraries=dict(stats.versions))
    return _answer(body, ok=True)
