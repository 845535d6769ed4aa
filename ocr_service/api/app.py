"""The application: routes, errors, request ids, the log of requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.types import ASGIApp

from ocr_service import __version__
from ocr_service.api import docs, documents, health, jobs, ocr, problems, schemas, scrape, web_page
from ocr_service.api.access import RequestFrame

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_DESCRIPTION = """Documents in, trustworthy Markdown and JSON out. Every error is problem+json (RFC 9457) with a stable `code`."""


def create_app(lifespan: Lifespan | None = None) -> FastAPI:
    """The routes. `app.state.parts` (api/parts.py) must be set before the first request, by the lifespan."""
    app = FastAPI(
        title="OCR service",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    for module in (ocr, jobs, documents, health, scrape, docs, web_page):
        app.include_router(module.router)
    problems.install(app)
    schemas.install(app)
    return app


def framed(app: FastAPI) -> ASGIApp:
    """The application as the server runs it."""
    return RequestFrame(app)
