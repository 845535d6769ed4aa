"""`/metrics`, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ocr_service.api.parts import parts_of

router = APIRouter(tags=["service"])


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Pages, documents, queue, workers and memory in Prometheus' text format."""
    return Response(parts_of(request).metrics.render(), media_type=CONTENT_TYPE_LATEST)
