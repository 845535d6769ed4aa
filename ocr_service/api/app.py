"""The application: routes, errors, request ids, the log of requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from ocr_service import __version__
from ocr_service.api import docs, documents, health, jobs, ocr, problems, schemas, scrape, web_page
from ocr_service.api.access import REQUEST_ID_HEADER, RequestFrame
from ocr_service.api.gate import KEY_HEADER, Gate, Rules

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_DESCRIPTION = """Documents in, trustworthy Markdown and JSON out. Every error is problem+json (RFC 9457) with a stable `code`."""


def create_app(lifespan: Lifespan | None = None, *, guarded: bool = False) -> FastAPI:
    """The routes. `app.state.parts` (api/parts.py) must be set before the first request, by the lifespan. `guarded`: keys are needed."""
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
    schemas.install(app, guarded=guarded)
    return app


def framed(app: FastAPI, rules: Rules | None = None, origins: Sequence[str] = ()) -> ASGIApp:
    """The application as the server runs it. `origins`: those whose web pages may ask; a browser's question for that has no key."""
    guarded: ASGIApp = Gate(app, rules or Rules())
    if origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", KEY_HEADER, "Idempotency-Key", "Last-Event-ID", REQUEST_ID_HEADER),
            expose_headers=("Location", "Retry-After", schemas.PAGES_HEADER, jobs.REPLAYED_HEADER, REQUEST_ID_HEADER),
        )
    return RequestFrame(guarded)
